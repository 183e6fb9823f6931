#pragma once
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

/// Whether a head means the same to everyone who reads it (RFC 9112 §2.2, §3.2, §5, §6, §11.2):
/// what two readers could take apart differently is how requests are smuggled. Pure.
namespace opentrail::net {

/// Why a request's head (request line to empty line) is refused; absent when it is clean. Refused
/// are bare line ends and control characters, folded lines, names that are no tokens or have space
/// before the colon, more than one Content-Length or one that is no number, Content-Length beside
/// Transfer-Encoding, any coding but "chunked", a Host that is missing or stands twice, targets
/// that do not begin with "/", and more than `fields_max` fields.
[[nodiscard]] std::optional<std::string> head_defect(std::string_view raw, std::size_t fields_max);

/// False when the bytes that came so far cannot become a head: they do not begin a method.
[[nodiscard]] bool begins_head(std::string_view start);

/// The same of an answer's head; Content-Length may stand beside no body.
[[nodiscard]] std::optional<std::string> answer_defect(std::string_view raw,
                                                       std::size_t fields_max);

}  // namespace opentrail::net
