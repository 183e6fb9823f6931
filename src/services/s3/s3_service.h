#pragma once
#include "objects/embedded_store.h"
#include "services/service.h"

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/thread_pool.hpp>

namespace opentrail::services {

struct S3Options {
  /// Whether IAM lets the caller do `action` to `resource`: for what one call does beside the
  /// action that the pipeline has authorised (the source of a copy, each key of DeleteObjects).
  std::function<bool(const iam::Caller&, std::string_view action, std::string_view resource)>
      is_allowed;
  /// Regions that a bucket may be made in.
  std::vector<std::string> regions;
};

/// The S3 wire protocol, path style, over the embedded object store. Buckets belong to the account
/// that made them and are open to that account's signed callers only; what bucket policies allow
/// beyond it is for service principals (objects), what they deny holds here too.
class S3Service final : public Service {
 public:
  static std::unique_ptr<S3Service> make(objects::EmbeddedStore& store, asio::thread_pool& workers,
                                         S3Options options);

  [[nodiscard]] std::string_view signing_name() const override { return "s3"; }
  [[nodiscard]] std::string_view event_source() const override { return "s3.amazonaws.com"; }
  [[nodiscard]] iam::ErrorStyle error_style() const override { return iam::ErrorStyle::S3; }
  [[nodiscard]] bool streams(const net::RequestHead& head) const override;
  [[nodiscard]] std::size_t body_bytes_max() const override;
  [[nodiscard]] Operation identify(const Call& call) const override;
  asio::awaitable<Outcome> handle(Call& call, const Operation& operation) override;
  [[nodiscard]] Outcome error_answer(const net::RequestHead& request, const ApiError& error,
                                     std::string_view request_id) const override;

 private:
  S3Service(objects::EmbeddedStore& store, asio::thread_pool& workers, S3Options options)
      : store_(store), workers_(workers), options_(std::move(options)) {}

  objects::EmbeddedStore& store_;
  asio::thread_pool& workers_;
  S3Options options_;
};

}  // namespace opentrail::services
