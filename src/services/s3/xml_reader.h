#pragma once
#include "base/error.h"
#include "base/json.h"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace pugi {
class xml_document;  // NOLINT(readability-identifier-naming): the library's names
class xml_node;      // NOLINT(readability-identifier-naming)
}  // namespace pugi

namespace opentrail::services::s3 {

/// Holds 10000 parts with their checksums, and 1000 keys of full length.
inline constexpr std::size_t kXmlBodyBytesMax = 2 << 20;

/// The XML document in a request's body. Namespaces are looked through: elements are found by their
/// local name.
class XmlBody {
 public:
  /// Errors: MalformedXML when it is not well-formed, too long, or its root is not `root`
  /// (empty: any root).
  static Result<XmlBody> parse(std::string_view body, std::string_view root);
  ~XmlBody();
  XmlBody(XmlBody&&) noexcept;
  XmlBody& operator=(XmlBody&&) noexcept;

  /// One element of the document; valid as long as the body.
  class Element {
   public:
    [[nodiscard]] bool has(std::string_view child) const;
    /// The text of the first child of that name, trimmed, or "".
    [[nodiscard]] std::string text(std::string_view child) const;
    /// The same with the spaces around it, which belong to a key.
    [[nodiscard]] std::string raw_text(std::string_view child) const;
    /// The first child of that name, or an element without children.
    [[nodiscard]] Element child(std::string_view name) const;
    [[nodiscard]] std::vector<Element> children(std::string_view name) const;
    [[nodiscard]] std::string name() const;

   private:
    friend class XmlBody;
    explicit Element(void* node) : node_(node) {}
    void* node_;  // pugi::xml_node_struct*
  };
  [[nodiscard]] Element root() const;

  /// As CloudTrail records it: {"Root":{"Child":"text","xmlns":"..."}}; repeated children become
  /// an array, "true" and "false" booleans. What is nested deeper than 8 levels is left out.
  [[nodiscard]] json::object to_json() const;

 private:
  XmlBody();
  std::unique_ptr<pugi::xml_document> document_;
};

}  // namespace opentrail::services::s3
