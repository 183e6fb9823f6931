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
/// Transfer-Encoding, any coding but "chunked", a Connection that is no list of names, a Host that
/// is missing or stands twice, targets that do not begin with "/", and more than `fields_max`
/// fields.
[[nodiscard]] std::optional<std::string> head_defect(std::string_view raw, std::size_t fields_max);

/// Why the bytes that came so far can never become a request's head, so that nobody waits for its
/// end: they begin no method, or a line ends in a bare line feed. Looks for the latter from `from`
/// on. Absent while they still may.
[[nodiscard]] std::optional<std::string> start_defect(std::string_view start, std::size_t from);

/// head_defect() of an answer's head.
[[nodiscard]] std::optional<std::string> answer_defect(std::string_view raw,
                                                       std::size_t fields_max);
/// start_defect() of an answer: it does not begin with "HTTP/1.", as another protocol would.
[[nodiscard]] std::optional<std::string> answer_start_defect(std::string_view start,
                                                             std::size_t from);

}  // namespace opentrail::net
