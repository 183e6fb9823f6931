#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace opentrail::services::s3 {

/// Text as it may stand in an element or a quoted attribute. Control characters become numeric
/// references, as S3 writes them (XML 1.0 forbids most of them either way; clients that expect such
/// keys ask for encoding-type=url).
[[nodiscard]] std::string xml_escape(std::string_view text);

/// Writes one XML document from the outside in. Names are ours and are not escaped, texts are.
/// Pure; whatever is left open is closed by finish().
class XmlWriter {
 public:
  /// The declaration and the root element, with S3's namespace unless `xml_namespace` is empty.
  explicit XmlWriter(std::string_view root, std::string_view xml_namespace = kS3Namespace);

  XmlWriter& open(std::string_view name, std::string_view attributes = {});
  XmlWriter& close();
  /// <name>text</name>
  XmlWriter& element(std::string_view name, std::string_view text);
  XmlWriter& text(std::string_view text);
  [[nodiscard]] std::string finish();

  static constexpr std::string_view kS3Namespace = "http://s3.amazonaws.com/doc/2006-03-01/";

 private:
  std::string out_;
  std::vector<std::string> open_;
};

}  // namespace opentrail::services::s3
