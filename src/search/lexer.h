#pragma once
#include "base/error.h"

#include <cstddef>
#include <string>
#include <string_view>

/// Characters to words. Internal to the parser of expressions.
namespace opentrail::search {

/// A value or word as it was written, with where its wildcards stand.
struct Word {
  std::string text;  ///< Escapes resolved, stars included.
  bool quoted = false;
  bool star_first = false;   ///< The first character is a wildcard.
  bool star_last = false;    ///< The last character is one; of "*" alone both are set.
  bool star_inside = false;  ///< There is one elsewhere.
};

/// A cursor over the text of an expression, which outlives it.
class Lexer {
 public:
  /// Where a bare word ends: a value may contain what a name may not.
  enum class Place : unsigned char { Name, Value };

  explicit Lexer(std::string_view text) : text_(text) {}

  void skip_blanks();
  [[nodiscard]] bool at_end() const { return at_ == text_.size(); }
  [[nodiscard]] char peek() const { return at_end() ? '\0' : text_[at_]; }
  [[nodiscard]] bool at_quote() const { return peek() == '"' || peek() == '\''; }
  /// Steps over `symbol` if it stands here.
  bool accept(std::string_view symbol);
  /// Steps over the word `keyword`, any case, if it stands here as a whole word.
  bool accept_word(std::string_view keyword);
  [[nodiscard]] bool at_word(std::string_view keyword) const;

  /// The quoted text that begins here. Errors: InvalidArgument.
  Result<Word> read_quoted();
  /// The characters up to a blank, a parenthesis, a comma, a double quote, "&&" or "||"; of a
  /// name also up to an operator, or to a single quote after a dot. May be empty.
  Word read_bare(Place place);

  [[nodiscard]] std::size_t position() const { return at_; }
  void go_to(std::size_t position) { at_ = position; }
  /// "at 17: expected ...": the place `position`, counted in characters from 1.
  [[nodiscard]] std::unexpected<Error> fail_at(std::size_t position, std::string message) const;
  /// What stands at `position`, for messages: "'foo'", "the end".
  [[nodiscard]] std::string shown_at(std::size_t position) const;

 private:
  [[nodiscard]] bool ends_bare(Place place) const;
  Result<void> read_escape(Word& word);
  Result<char32_t> read_hex();

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace opentrail::search
