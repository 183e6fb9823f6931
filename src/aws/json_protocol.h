#pragma once
#include "base/error.h"
#include "base/json.h"
#include "base/time.h"
#include "net/http.h"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// The AWS JSON 1.1 protocol (CloudTrail): the operation in a header, JSON in, JSON out (spec api
/// §1.1, §1.2). Pure.
namespace opentrail::aws {

inline constexpr std::string_view kJsonContentType = "application/x-amz-json-1.1";
inline constexpr std::size_t kOperationNameBytesMax = 128;
inline constexpr std::size_t kJsonBodyBytesMax = 1 << 20;
inline constexpr std::size_t kJsonBodyDepthMax = 32;

/// The operation that X-Amz-Target names: what stands behind the last ".", since clients send both
/// "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.Op" and "CloudTrail_20131101.Op". Absent
/// when there is no such header or it ends in anything but a name of letters and digits.
[[nodiscard]] std::optional<std::string> json_operation(const net::RequestHead& head);

/// The body as an object; an empty body is an empty one. Errors: InvalidArgument with reason
/// "SerializationException".
[[nodiscard]] Result<json::object> parse_json_body(std::string_view body);

/// {"__type":code,"Message":message}; errors of the front end (signatures, throttling, unknown
/// operations) have a lower-case "message".
[[nodiscard]] std::string json_error(std::string_view code, std::string_view message);

/// A timestamp as clients send it: epoch seconds, perhaps with a fraction, or an ISO string.
[[nodiscard]] std::optional<Timestamp> json_timestamp(const json::value& value);

/// "S3BucketName" -> "s3BucketName": how records spell a member (spec records §1.5).
[[nodiscard]] std::string record_member_name(std::string_view name);
/// `value` with the names of all members so spelt, however deep. For answers, which have no maps
/// with keys of the user's own.
[[nodiscard]] json::value with_record_member_names(const json::value& value);

/// An input, checked against its operation's shape.
struct ShapedInput {
  json::object input;  ///< What the model knows of it, as sent; nulls are left out.
  /// The same as the record shows it: members spelt as above, timestamps as ISO seconds. null when
  /// it is empty, or when a value has the wrong type.
  json::value recorded;
  /// InvalidArgument with reason "SerializationException" (a value of the wrong type) or
  /// "ValidationException" (a required member is missing).
  std::optional<Error> error;
};

/// The shape of an operation's input, as AWS's model has it. Its text form:
///   s string   b boolean   i integer   t timestamp   m map of strings
///   [X] list of X   {Name!:X,Other:X} structure; "!" marks a required member
/// so that {Name!:s,TagsList:[{Key!:s,Value:s}]} is the input of a call with a name and tags.
class JsonShape {
 public:
  /// `text` is a constant of ours: a mistake in it is a defect.
  static JsonShape parse(std::string_view text);
  /// Members that the shape does not know are ignored, as AWS does.
  [[nodiscard]] ShapedInput read(const json::object& input) const;

 private:
  struct Member;
  struct Reading;

  static JsonShape parse_at(std::string_view& text);
  void read_value(const json::value& value, const std::string& path, Reading& reading,
                  json::value& out, json::value& recorded) const;
  void read_scalar(const json::value& value, Reading& reading, json::value& out,
                   json::value& recorded) const;
  void read_structure(const json::object& object, const std::string& path, Reading& reading,
                      json::value& out, json::value& recorded) const;

  char kind_ = 's';
  std::vector<Member> members_;  ///< Of a structure; of a list its one item.
};

struct JsonShape::Member {
  std::string name;
  bool required = false;
  JsonShape shape;
};

}  // namespace opentrail::aws
