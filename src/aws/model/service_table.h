#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

/// What AWS's services and operations look like: the models that botocore carries, as a table made
/// when the program is built (generate_table.py). Read in place; nothing here allocates or fails.
/// Any thread.
namespace opentrail::aws::model {

enum class Kind : std::uint8_t {
  String,
  Boolean,
  Integer,
  Double,
  Timestamp,
  Blob,
  Structure,
  List,
  Map
};

/// Where in a request or an answer a member stands.
enum class Location : std::uint8_t { Body, Uri, Query, Header, Headers, StatusCode };

struct Member;

/// A view of one shape; empty when the call has no such thing.
class Shape {
 public:
  Shape() = default;
  explicit Shape(const std::uint32_t* words) : words_(words) {}

  explicit operator bool() const { return words_ != nullptr; }
  [[nodiscard]] Kind kind() const { return static_cast<Kind>(words_[0] & 0xFF); }
  /// Its value must not be kept.
  [[nodiscard]] bool sensitive() const { return has(1); }
  [[nodiscard]] bool flattened() const { return has(2); }
  /// A body of any length, or a stream of events.
  [[nodiscard]] bool streaming() const { return has(4); }
  /// Any JSON value, with names of the user's own.
  [[nodiscard]] bool document() const { return has(8); }

  // Of a structure.
  [[nodiscard]] std::size_t member_count() const { return words_[0] >> 16; }
  [[nodiscard]] Member member(std::size_t index) const;
  /// By the name on the wire, else by the model's own; absent when there is none of that name.
  [[nodiscard]] std::optional<Member> find(std::string_view name) const;
  /// The member that is the whole body; absent when the body holds several.
  [[nodiscard]] std::optional<Member> payload() const;

  // Of a list.
  [[nodiscard]] Shape item() const;
  [[nodiscard]] std::string_view item_name() const;  ///< The element's name in XML: "member".

  // Of a map.
  [[nodiscard]] Shape key() const { return item(); }
  [[nodiscard]] Shape value() const;
  [[nodiscard]] std::string_view key_name() const;
  [[nodiscard]] std::string_view value_name() const;

 private:
  [[nodiscard]] bool has(std::uint32_t flag) const { return ((words_[0] >> 8) & flag) != 0; }

  const std::uint32_t* words_ = nullptr;
};

struct Member {
  std::string_view name;       ///< In the model: what the record's spelling is made from.
  std::string_view wire_name;  ///< Of the element, header, parameter, label or JSON member.
  Shape shape;
  Location location = Location::Body;
  bool flattened = false;
  bool streaming = false;
  bool attribute = false;  ///< Of an XML element.
};

struct Operation {
  std::string_view name;
  std::string_view event_name;  ///< As CloudTrail spells it: "GetFunction20150331v2".
  std::string_view method;
  std::string_view uri;  ///< "/{Bucket}/{Key+}?uploads".
  Shape input;
  Shape output;                         ///< Empty also where records show no answer.
  std::string_view result_wrapper;      ///< Query protocol: "CreateUserResult".
  std::string_view data_resource_type;  ///< "AWS::S3::Object" of data events, else "".
  bool read_only = false;
  bool data_event = false;
};

enum class Protocol : std::uint8_t {
  Json = 1,
  Query = 2,
  Ec2 = 4,
  RestJson = 8,
  RestXml = 16,
  Cbor = 32
};

class Service {
 public:
  std::string_view id;               ///< botocore's name: "cognito-idp".
  std::string_view signing_name;     ///< In the SigV4 scope.
  std::string_view endpoint_prefix;  ///< In host names.
  std::string_view event_source;     ///< "monitoring.amazonaws.com".
  std::string_view target_prefix;    ///< Of X-Amz-Target and of RPC v2 CBOR's paths; may be empty.
  std::string_view api_version;      ///< "2010-05-08".
  std::uint8_t protocols = 0;        ///< Bits of Protocol; see speaks().
  bool raw_names = false;            ///< Records spell members as they are on the wire.
  std::uint32_t first_operation = 0;
  std::uint32_t operation_count = 0;

  [[nodiscard]] bool speaks(Protocol protocol) const {
    return (protocols & static_cast<std::uint8_t>(protocol)) != 0;
  }
  [[nodiscard]] Operation operation(std::size_t index) const;
  /// By its name in the model.
  [[nodiscard]] std::optional<Operation> find_operation(std::string_view name) const;
};

/// All of them, in the order of their ids.
[[nodiscard]] std::span<const Service> services();
/// By botocore's name; null when there is none.
[[nodiscard]] const Service* find_service(std::string_view id);
/// Those that share a signing name: "rds" is also Neptune's and DocumentDB's.
[[nodiscard]] std::span<const Service* const> services_signing_as(std::string_view signing_name);

}  // namespace opentrail::aws::model
