#include "history/query/part_plan.h"

#include "base/text.h"

#include <algorithm>
#include <bit>

namespace opentrail::history {
namespace {

using search::Expression;
using search::Operator;
using search::Test;

constexpr Doc kWordBits = 64;
/// So many lists are asked one by one; the union of more is made as one bitmap.
constexpr std::size_t kListsMax = 8;

bool passes(const Test& test, std::string_view value) {
  switch (test.op) {
    case Operator::Equals:
      return value == test.value;
    case Operator::StartsWith:
      return value.starts_with(test.value);
    case Operator::EndsWith:
      return value.ends_with(test.value);
    case Operator::Contains:
      return value.find(test.value) != value.npos;
    case Operator::ContainsIgnoreCase:
      return to_lower(value).find(to_lower(test.value)) != std::string::npos;
    case Operator::Exists:
      return true;
  }
  return false;
}

void set_bit(std::vector<std::uint64_t>& bits, Doc doc) {
  bits[doc / kWordBits] |= std::uint64_t{1} << (doc % kWordBits);
}

}  // namespace

Result<PartPlan> PartPlan::make(const Expression& expression, const Index& index,
                                const FindId& find_id) {
  PartPlan plan(index);
  OT_TRY(plan.root_, plan.compile(expression, find_id));
  return plan;
}

Result<PartPlan::Node> PartPlan::compile(const Expression& expression, const FindId& find_id) {
  switch (expression.kind) {
    case Expression::Kind::All:
      return Node(Node::Kind::All);
    case Expression::Kind::And:
    case Expression::Kind::Or:
      return compile_children(expression, find_id);
    case Expression::Kind::Not: {
      const bool was_exact = std::exchange(exact_, true);
      OT_TRY(Node child, compile(expression.children.front(), find_id));
      const bool child_is_exact = std::exchange(exact_, was_exact);
      // What a superset leaves out is no superset of what is not wanted.
      return child_is_exact ? negated(std::move(child)) : inexact();
    }
    case Expression::Kind::Test:
      return compile_test(expression.test, find_id);
  }
  return inexact();
}

Result<PartPlan::Node> PartPlan::compile_children(const Expression& expression,
                                                  const FindId& find_id) {
  const bool is_and = expression.kind == Expression::Kind::And;
  const auto neutral = is_and ? Node::Kind::All : Node::Kind::Nothing;
  const auto deciding = is_and ? Node::Kind::Nothing : Node::Kind::All;
  Node node(is_and ? Node::Kind::And : Node::Kind::Or);
  for (const Expression& child : expression.children) {
    OT_TRY(Node compiled, compile(child, find_id));
    if (compiled.kind == deciding) {
      return Node(deciding);
    }
    if (compiled.kind != neutral) {
      node.children.push_back(std::move(compiled));
    }
  }
  if (node.children.empty()) {
    return Node(neutral);
  }
  if (node.children.size() == 1) {
    return std::move(node.children.front());
  }
  // The rarest first: what it leaves out, the others are not asked for.
  std::ranges::sort(node.children, {}, [this](const Node& one) {
    return one.list ? one.list->count() : index_->meta().docs;
  });
  return node;
}

PartPlan::Node PartPlan::inexact() {
  exact_ = false;
  return Node(Node::Kind::All);
}

PartPlan::Node PartPlan::negated(Node node) {
  switch (node.kind) {
    case Node::Kind::All:
      return Node(Node::Kind::Nothing);
    case Node::Kind::Nothing:
      return Node(Node::Kind::All);
    default: {
      Node negation(Node::Kind::Not);
      negation.children.push_back(std::move(node));
      return negation;
    }
  }
}

Result<PartPlan::Node> PartPlan::compile_test(const Test& test, const FindId& find_id) {
  switch (test.target.kind) {
    case search::Target::Kind::Field:
      return compile_field(test);
    case search::Target::Kind::EventId:
      return compile_id(test, find_id);
    case search::Target::Kind::AnyText:
    case search::Target::Kind::Path:
      break;
  }
  return inexact();
}

Result<PartPlan::Node> PartPlan::compile_field(const Test& test) {
  if (test.op == Operator::Equals) {
    OT_TRY(const auto ref, index_->find(test.target.field, test.value));
    return ref ? list_node(*ref) : Node();
  }
  const bool by_prefix = test.op == Operator::StartsWith;
  std::vector<PostingsRef> refs;
  OT_TRY(auto cursor, TermCursor::seek(index_->field(test.target.field), index_->bytes(),
                                       by_prefix ? std::string_view(test.value) : ""));
  for (;;) {
    OT_TRY(const bool found, cursor.next());
    if (!found || (by_prefix && !cursor.term().starts_with(test.value))) {
      return union_node(refs);
    }
    if (passes(test, cursor.term())) {
      refs.push_back(cursor.postings());
    }
  }
}

Result<PartPlan::Node> PartPlan::compile_id(const Test& test, const FindId& find_id) {
  if (test.op == Operator::Exists) {
    return Node(Node::Kind::All);
  }
  if (test.op != Operator::Equals) {
    return inexact();
  }
  OT_TRY(const std::vector<Doc> docs, find_id(test.value));
  if (docs.empty()) {
    return Node();
  }
  std::vector<std::uint64_t> bits(index_->meta().docs / kWordBits + 1, 0);
  for (const Doc doc : docs) {
    set_bit(bits, doc);
  }
  return bits_node(std::move(bits));
}

Result<PartPlan::Node> PartPlan::list_node(const PostingsRef& ref) const {
  if (ref.count == index_->meta().docs) {
    return Node(Node::Kind::All);
  }
  Node node(Node::Kind::List);
  OT_TRY(node.list, PostingsReader::open(index_->bytes(), ref, index_->meta().docs));
  return node;
}

PartPlan::Node PartPlan::bits_node(std::vector<std::uint64_t> bits) const {
  Node node(Node::Kind::Bits);
  node.bits = std::move(bits);
  return node;
}

Result<PartPlan::Node> PartPlan::union_node(const std::vector<PostingsRef>& refs) const {
  if (refs.empty()) {
    return Node();
  }
  if (refs.size() > kListsMax) {
    std::vector<std::uint64_t> bits(index_->meta().docs / kWordBits + 1, 0);
    for (const PostingsRef& ref : refs) {
      OT_TRY(auto reader, PostingsReader::open(index_->bytes(), ref, index_->meta().docs));
      OT_TRY(const auto docs, reader.all());
      for (const Doc doc : docs) {
        set_bit(bits, doc);
      }
    }
    return bits_node(std::move(bits));
  }
  Node node(Node::Kind::Or);
  for (const PostingsRef& ref : refs) {
    OT_TRY(Node list, list_node(ref));
    if (list.kind == Node::Kind::All) {
      return list;
    }
    node.children.push_back(std::move(list));
  }
  return refs.size() == 1 ? std::move(node.children.front()) : std::move(node);
}

// ---- answering
// -----------------------------------------------------------------------------------

Result<std::optional<Doc>> PartPlan::last_below(Node& node, Doc bound) {
  bound = std::min(bound, index_->meta().docs);
  switch (node.kind) {
    case Node::Kind::Nothing:
      return std::nullopt;
    case Node::Kind::All:
    case Node::Kind::Not:
      return bound == 0 ? std::nullopt : std::optional(bound - 1);
    case Node::Kind::List:
      return node.list->last_below(bound);
    case Node::Kind::Bits:
      for (Doc word = (bound + kWordBits - 1) / kWordBits; word-- > 0;) {
        std::uint64_t bits = node.bits[word];
        if (const Doc rest = bound - word * kWordBits; rest < kWordBits) {
          bits &= (std::uint64_t{1} << rest) - 1;
        }
        if (bits != 0) {
          return word * kWordBits + static_cast<Doc>(std::bit_width(bits)) - 1;
        }
      }
      return std::nullopt;
    case Node::Kind::And: {
      std::optional<Doc> least = bound == 0 ? std::nullopt : std::optional(bound - 1);
      for (Node& child : node.children) {
        if (least) {
          // Each child is asked below what the ones before it have left.
          OT_TRY(least, last_below(child, *least + 1));
        }
      }
      return least;
    }
    case Node::Kind::Or: {
      std::optional<Doc> greatest;
      for (Node& child : node.children) {
        OT_TRY(const auto found, last_below(child, bound));
        greatest = std::max(greatest, found);
      }
      return greatest;
    }
  }
  return std::nullopt;
}

Result<std::optional<Doc>> PartPlan::first_from(Node& node, Doc bound) {
  const Doc docs = index_->meta().docs;
  if (bound >= docs) {
    return std::nullopt;
  }
  switch (node.kind) {
    case Node::Kind::Nothing:
      return std::nullopt;
    case Node::Kind::All:
    case Node::Kind::Not:
      return bound;
    case Node::Kind::List:
      return node.list->first_from(bound);
    case Node::Kind::Bits:
      for (Doc word = bound / kWordBits; word < node.bits.size(); ++word) {
        std::uint64_t bits = node.bits[word];
        if (word == bound / kWordBits) {
          bits &= ~std::uint64_t{0} << (bound % kWordBits);
        }
        if (bits != 0) {
          return word * kWordBits + static_cast<Doc>(std::countr_zero(bits));
        }
      }
      return std::nullopt;
    case Node::Kind::And: {
      std::optional<Doc> greatest = bound;
      for (Node& child : node.children) {
        if (greatest) {
          OT_TRY(greatest, first_from(child, *greatest));
        }
      }
      return greatest;
    }
    case Node::Kind::Or: {
      std::optional<Doc> least;
      for (Node& child : node.children) {
        OT_TRY(const auto found, first_from(child, bound));
        if (found && (!least || *found < *least)) {
          least = found;
        }
      }
      return least;
    }
  }
  return std::nullopt;
}

Result<DocWindow::Words> PartPlan::window(Node& node, Doc first) {
  DocWindow::Words words{};
  switch (node.kind) {
    case Node::Kind::Nothing:
      break;
    case Node::Kind::All:
      words.fill(~std::uint64_t{0});
      break;
    case Node::Kind::List:
      OT_TRY_DO(node.list->add_to(first, words));
      break;
    case Node::Kind::Bits: {
      const std::size_t from = first / kWordBits;
      const std::size_t count =
          std::min(words.size(), node.bits.size() - std::min(from, node.bits.size()));
      std::copy_n(node.bits.begin() + static_cast<std::ptrdiff_t>(from), count, words.begin());
      break;
    }
    case Node::Kind::And:
      words.fill(~std::uint64_t{0});
      for (Node& child : node.children) {
        OT_TRY(const auto other, window(child, first));
        std::uint64_t any = 0;
        for (std::size_t i = 0; i < words.size(); ++i) {
          words[i] &= other[i];
          any |= words[i];
        }
        if (any == 0) {
          break;
        }
      }
      break;
    case Node::Kind::Or:
      for (Node& child : node.children) {
        OT_TRY(const auto other, window(child, first));
        for (std::size_t i = 0; i < words.size(); ++i) {
          words[i] |= other[i];
        }
      }
      break;
    case Node::Kind::Not:
      OT_TRY(words, window(node.children.front(), first));
      for (std::uint64_t& word : words) {
        word = ~word;
      }
      break;
  }
  return words;
}

}  // namespace opentrail::history
