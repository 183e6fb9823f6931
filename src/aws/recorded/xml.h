#pragma once
#include "aws/recorded/style.h"

#include <pugixml.hpp>

/// Bodies of the Query, EC2 and REST-XML protocols (spec records §1.5). Pure.
namespace opentrail::aws::recorded {

/// Parses `foreign` bytes, what is no UTF-8 replaced, into `document`; false when it is not XML or
/// is nested deeper than kDepthMax.
[[nodiscard]] bool read_xml(std::string_view foreign, pugi::xml_document& document);
/// An element's content in that shape.
[[nodiscard]] json::value from_xml(const pugi::xml_node& node, const model::Shape& shape,
                                   Writing& writing, std::size_t depth = 0);

}  // namespace opentrail::aws::recorded
