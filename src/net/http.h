#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace opentrail::net {

/// Header fields in the order and case they came in, so that a proxy can send them on byte for
/// byte.
class Headers {
 public:
  using Field = std::pair<std::string, std::string>;

  void add(std::string name, std::string value);
  /// Replaces all fields of that name by one.
  void set(std::string_view name, std::string value);
  void remove(std::string_view name);
  /// The first field of that name (case does not matter), or nothing.
  [[nodiscard]] std::optional<std::string_view> find(std::string_view name) const;
  /// The same, or "".
  [[nodiscard]] std::string_view get(std::string_view name) const;
  [[nodiscard]] const std::vector<Field>& fields() const { return fields_; }

 private:
  std::vector<Field> fields_;
};

/// What TLS agreed on; absent on a plain connection.
struct TlsDetails {
  std::string version;       ///< "TLSv1.3", as records show it.
  std::string cipher_suite;  ///< "TLS_AES_128_GCM_SHA256".
};

/// How the end of a body is told (RFC 9112 §6).
enum class Framing : std::uint8_t {
  None,       ///< There is no body.
  Length,     ///< Content-Length.
  Chunked,    ///< Transfer-Encoding: chunked.
  UntilClose  ///< Answers only: until the connection is closed.
};

/// A request line and its header. Everything here is set by the client and not verified.
struct RequestHead {
  std::string method;  ///< "GET".
  std::string target;  ///< As sent: "/bucket/key?list-type=2". Origin form only.
  Headers headers;
  std::string peer_address;  ///< "127.0.0.1": the other end of the connection.
  std::optional<TlsDetails> tls;
  /// Absent when chunked or when there is no body.
  std::optional<std::uint64_t> content_length;
  bool chunked = false;
  /// The bytes as they came, from the request line to the empty line: a proxy sends them on.
  std::string raw;

  [[nodiscard]] std::string_view path() const;   ///< The target up to "?", still encoded.
  [[nodiscard]] std::string_view query() const;  ///< Behind "?", still encoded; may be empty.
};

struct ResponseHead {
  int status = 200;
  Headers headers;
};

/// Query or form fields, decoded, in order. Absent when an escape is broken.
[[nodiscard]] std::optional<std::vector<std::pair<std::string, std::string>>> parse_query(
    std::string_view query, bool plus_is_space);

}  // namespace opentrail::net
