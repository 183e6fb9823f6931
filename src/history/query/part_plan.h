#pragma once
#include "base/error.h"
#include "history/index/index.h"
#include "history/index/postings.h"
#include "search/expression.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace opentrail::history {

/// How one index answers an expression: exactly, or with more records than match, when a test looks
/// at what is not indexed. One thread.
class PartPlan {
 public:
  /// The docs of the records with this id.
  using FindId = std::function<Result<std::vector<Doc>>(std::string_view id)>;

  /// `expression` is simplified: a Not stands over a test or over All only. `index` outlives it.
  /// Errors: Corruption.
  static Result<PartPlan> make(const search::Expression& expression, const Index& index,
                               const FindId& find_id);

  /// False: what it finds must be compared with the expression.
  [[nodiscard]] bool is_exact() const { return exact_; }
  /// True when it finds nothing anywhere.
  [[nodiscard]] bool is_empty() const { return root_.kind == Node::Kind::Nothing; }
  /// True when it finds every record.
  [[nodiscard]] bool is_all() const { return root_.kind == Node::Kind::All; }
  /// No doc from this one, and below `bound`, is found. Absent: none below `bound`.
  Result<std::optional<Doc>> last_below(Doc bound) { return last_below(root_, bound); }
  /// No doc before this one, from `bound` on, is found. Absent: none from `bound` on.
  Result<std::optional<Doc>> first_from(Doc bound) { return first_from(root_, bound); }
  /// The found docs of the window that begins at `first`.
  Result<DocWindow::Words> window(Doc first) { return window(root_, first); }

 private:
  struct Node {
    enum class Kind : std::uint8_t { Nothing, All, List, Bits, And, Or, Not };
    explicit Node(Kind of_kind = Kind::Nothing) : kind(of_kind) {}

    Kind kind;
    std::vector<Node> children;
    std::optional<PostingsReader> list;
    std::vector<std::uint64_t> bits;  ///< One for each doc.
  };

  explicit PartPlan(const Index& index) : index_(&index) {}
  Result<Node> compile(const search::Expression& expression, const FindId& find_id);
  Result<Node> compile_children(const search::Expression& expression, const FindId& find_id);
  Result<Node> compile_test(const search::Test& test, const FindId& find_id);
  Result<Node> compile_field(const search::Test& test);
  Result<Node> compile_id(const search::Test& test, const FindId& find_id);
  Node inexact();
  [[nodiscard]] Result<Node> list_node(const PostingsRef& ref) const;
  [[nodiscard]] Result<Node> union_node(const std::vector<PostingsRef>& refs) const;
  [[nodiscard]] Node bits_node(std::vector<std::uint64_t> bits) const;
  [[nodiscard]] static Node negated(Node node);

  Result<std::optional<Doc>> last_below(Node& node, Doc bound);
  Result<std::optional<Doc>> first_from(Node& node, Doc bound);
  Result<DocWindow::Words> window(Node& node, Doc first);

  const Index* index_;
  bool exact_ = true;
  Node root_;
};

}  // namespace opentrail::history
