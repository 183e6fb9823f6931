#include "objects/object_writer.h"

#include "objects/s3_errors.h"

#include <optional>
#include <utility>

#include <fmt/format.h>

namespace opentrail::objects {
namespace {

class Writer final : public ObjectWriter {
 public:
  Writer(std::shared_ptr<StoreParts> parts, std::unique_ptr<BlobWriter> blob,
         const std::vector<std::string>& algorithms, Place place)
      : parts_(std::move(parts)),
        blob_(std::move(blob)),
        digester_(algorithms),
        place_(std::move(place)) {}

  Result<void> write(std::string_view bytes) override {
    if (failure_) {
      return std::unexpected(*failure_);
    }
    auto written = take(bytes);
    if (!written) {
      failure_ = written.error();  // a gap must never be committed
    }
    return written;
  }

  Result<ObjectInfo> commit(const ExpectedBytes& expected) override {
    OT_CHECK(!spent_);
    spent_ = true;
    if (failure_) {
      return std::unexpected(*failure_);
    }
    digester_.finish();
    OT_TRY_DO(check_expected(digester_, expected));
    OT_TRY_DO(blob_->finish());
    const Blob blob{.id = blob_->id(),
                    .size = blob_->size(),
                    .sealed_key = parts_->keyring.seal(kDataKeyLabel, blob_->id(),
                                                       blob_->data_key(), parts_->random)};
    auto placed = place_(digester_, blob, expected);
    // After a commit of unknown outcome the row may be there: a file without a row is swept at the
    // next open, a row without a file would be a lost object.
    if (placed || placed.error().reason().empty()) {
      blob_->keep();
    }
    return placed;
  }

 private:
  Result<void> take(std::string_view bytes) {
    if (bytes.size() > kPutBytesMax - blob_->size()) {
      return s3_fail("EntityTooLarge");
    }
    digester_.update(bytes);
    return blob_->append(bytes);
  }

  std::shared_ptr<StoreParts> parts_;
  std::unique_ptr<BlobWriter> blob_;
  Digester digester_;
  Place place_;
  std::optional<Error> failure_;
  bool spent_ = false;
};

}  // namespace

Result<std::unique_ptr<ObjectWriter>> make_object_writer(std::shared_ptr<StoreParts> parts,
                                                         const std::vector<std::string>& algorithms,
                                                         Place place) {
  OT_TRY(auto blob, parts->blobs->create(parts->random));
  return std::make_unique<Writer>(std::move(parts), std::move(blob), algorithms, std::move(place));
}

std::string single_etag(const Digester& digester) {
  return fmt::format("\"{}\"", to_hex(as_bytes(digester.md5())));
}

}  // namespace opentrail::objects
