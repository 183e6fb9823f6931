// Goal: the matcher says of every record what the definitions in expression.h say, and may_match()
// never rules out a record that matches. Method: tables, and random expressions over random
// records, written with random escapes, spaces and repeated names, against a plain evaluation of a
// model of the record; Boost.JSON confirms that model and text are the same.
#include "search/matcher.h"

#include "base/json.h"
#include "base/text.h"
#include "search/random_expression.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace opentrail::search {
namespace {

using record::Field;

bool matches(std::string_view text, std::string_view json, const record::Terms& terms = {},
             std::string_view id = "id-1") {
  const auto expression = parse_expression(text);
  EXPECT_TRUE(expression.has_value()) << (expression ? "" : expression.error().message());
  const Matcher matcher(expression.value_or(Expression{}));
  const auto found = matcher.matches(Matcher::Subject{.id = id, .json = json, .terms = terms});
  EXPECT_TRUE(found.has_value()) << (found ? "" : found.error().message());
  EXPECT_TRUE(!found.value_or(false) || matcher.may_match(json)) << text;
  return found.value_or(false);
}

TEST(Matcher, TestsWhatIsBehindPaths) {
  constexpr std::string_view kJson =
      R"({"requestParameters":{"bucketName":"logs","count":10,"ratio":1.0,"on":true,"none":null,)"
      R"("empty":"","set":{"items":[{"id":"i-1"},{"id":"i-2"}]},"tags":["a","b/c"],)"
      R"("policy":"{\"Action\":\"s3:*\"}","bucketName":"second"},"responseElements":null})";
  const struct {
    std::string_view text;
    bool matches;
  } cases[] = {
      {"requestParameters.bucketName = logs", true},
      {"requestParameters.bucketName = second", false},  // of a name twice the first counts
      {"requestParameters.bucketName != second", true},
      {"requestParameters.bucketName = Logs", false},
      {"requestParameters.bucketName ~* OG", true},
      {"requestParameters.bucketName ^= lo", true},
      {"requestParameters.bucketName $= gs", true},
      {"requestParameters.count = 10", true},
      {"requestParameters.count = 10.0", false},  // numbers by their JSON text
      {"requestParameters.ratio = 1.0", true},
      {"requestParameters.ratio = 1", false},
      {"requestParameters.on = true", true},
      {"requestParameters.none exists", false},
      {"requestParameters.none = null", false},
      {"requestParameters.none != x", true},
      {"requestParameters.empty = ''", true},
      {"requestParameters.empty exists", true},
      {"requestParameters.absent = ''", false},
      {"requestParameters.set.items.id = i-2", true},
      {"requestParameters.set.items.id = i-3", false},
      {"requestParameters.set.items.id != i-2", false},
      {"requestParameters.set exists", true},
      {"requestParameters.set = '{'", false},
      {"requestParameters.set ~= '\"id\":\"i-2\"'", true},
      {"requestParameters.tags = b/c", true},
      {"requestParameters.tags ~= '[\"a\",'", true},
      {"requestParameters.policy ~= '\"s3:*\"'", true},
      {"requestParameters ~= 's3:*'", true},
      {"requestParameters ~= '\\\\\"s3:*\\\\\"'", true},  // the JSON text has the backslashes
      {"requestParameters ~= '\"s3:*\"'", false},         // and so not this
      {"responseElements exists", false},
      {"responseElements ~= x", false},
      {"\"i-2\" tags", true},
      {"\"i-3\"", false},
      {"text ~* LOGS", true},
  };
  for (const auto& one : cases) {
    EXPECT_EQ(matches(one.text, kJson), one.matches) << one.text;
  }
}

TEST(Matcher, TestsTermsAndId) {
  record::Terms terms;
  terms.add(Field::EventName, "DeleteTrail");
  terms.add(Field::ResourceName, "a");
  terms.add(Field::ResourceName, "b");
  terms.add(Field::ReadOnly, "false");
  const struct {
    std::string_view text;
    bool matches;
  } cases[] = {
      {"event = DeleteTrail", true},
      {"event = Delete*", true},
      {"event = Create*", false},
      {"resource = b", true},
      {"resource != b", false},
      {"resource != c", true},
      {"resource in (c, b)", true},
      {"resource not in (c)", true},
      {"readOnly = false", true},
      {"error exists", false},
      {"error not exists", true},
      {"error != x", true},
      {"id = id-1", true},
      {"id = id-2", false},
      {"id exists", true},
      {"*", true},
      {"not *", false},
      {"event ~* TRAIL", true},
  };
  for (const auto& one : cases) {
    EXPECT_EQ(matches(one.text, R"({"eventName":"DeleteTrail","eventID":"id-1"})", terms),
              one.matches)
        << one.text;
  }
}

TEST(Matcher, ParsesOnlyWhenItMust) {
  record::Terms terms;
  terms.add(Field::EventName, "A");
  EXPECT_TRUE(matches("event = A or requestParameters.x = 1", "1 no JSON", terms));
  EXPECT_FALSE(matches("event = B and requestParameters.x = 1", "1 no JSON", terms));
  EXPECT_FALSE(matches("requestParameters.x = 2", "1 no JSON", terms));  // no 2 in it
  const Matcher matcher(parse_expression("requestParameters.x = 1").value());
  EXPECT_FALSE(matcher.matches(Matcher::Subject{.id = "", .json = "1 no JSON", .terms = terms}));
}

TEST(Matcher, RulesOutBytesButNeverEscapes) {
  const struct {
    std::string_view text, bytes;
    bool may;
  } cases[] = {
      {"requestParameters.x = abc", R"({"x":"abc"})", true},
      {"requestParameters.x = abc", R"({"x":"abd"})", false},
      {"requestParameters.x = abc", R"({"x":"ab\u0063"})", true},
      {"requestParameters.x = abc", R"({"x":"ab\n\"\\"})", false},  // none of these spells a letter
      {"requestParameters.x = a/b", R"({"x":"a\/b"})", true},
      {"requestParameters.x = ab", R"({"x":"a\/b"})", false},
      {R"(requestParameters.x = "a\"b")", R"({"x":"a\"b"})", true},
      {R"(requestParameters.x = "a\\b")", R"({"x":"a\\b"})", true},
      {R"(requestParameters.x = "a\nb")", R"({"x":"a\nb"})", true},
      {"requestParameters.x != abc", "{}", true},
      {"requestParameters.x exists", "{}", true},
      {"requestParameters.x = ''", "{}", true},
      {"requestParameters.x ~* ABC", "{\"aBc\"}", true},
      {"requestParameters.x ~* ABC", "{\"aBd\"}", false},
      {"abc or abd", "ab", false},
      {"abc or abd", "abd", true},
      {"abc and abd", "abd", false},
      {"abc", R"(\u0061bc)", false},  // a word is looked for in the bytes as they are
      {"event = abc", "abd", false},
      {"event = 0", "1e5", true},
      {"user = root", "Root", true},
      {"user = alice", "Root", false},
      {"id = abc", "abd", false},
      {"id = sha256:00", "abd", true},
      {"category = Management", "{}", true},
      {"resource = x", "{}", true},
      {"readOnly = true", "{}", true},
      {"abc not *", "abc", false},
  };
  for (const auto& one : cases) {
    const Matcher matcher(parse_expression(one.text).value());
    EXPECT_EQ(matcher.may_match(one.bytes), one.may) << one.text << ' ' << one.bytes;
    EXPECT_TRUE(one.may || matcher.can_rule_out()) << one.text;
  }
  EXPECT_FALSE(Matcher(parse_expression("abc or user != x").value()).can_rule_out());
  EXPECT_FALSE(Matcher(Expression{}).can_rule_out());
}

TEST(Matcher, OfLongListsNothingIsRuledOut) {
  std::string text = "event in (x";
  for (int i = 0; i < 100; ++i) {
    text += fmt::format(", x{}", i);
  }
  const Matcher matcher(parse_expression(text + ")").value());
  EXPECT_FALSE(matcher.can_rule_out());
  EXPECT_TRUE(matcher.may_match("{}"));
}

/// A JSON value that remembers how it was written.
struct Model {
  enum class Kind : std::uint8_t { Null, Boolean, Number, String, Object, Array };
  Kind kind = Kind::Null;
  std::string text;                ///< Of a string its characters, of a number or boolean its JSON.
  std::vector<std::string> names;  ///< Of an object, one for each of its elements.
  std::vector<Model> elements;
  std::string written;
};

Model scalar(Model::Kind kind, std::string_view text) {
  Model model;
  model.kind = kind;
  model.text = text;
  return model;
}

Model random_scalar(Random& random) {
  constexpr std::string_view kNumbers[] = {"0",   "17",   "-1",   "1.0",
                                           "1e5", "-0.0", "-5e3", "123456789012345678901234"};
  switch (random.below(8)) {
    case 0:
      return {};
    case 1:
      return scalar(Model::Kind::Boolean, random.one_in(2) ? "true" : "false");
    case 2:
    case 3:
      return scalar(Model::Kind::Number, random.of(kNumbers));
    default:
      return scalar(Model::Kind::String, random.one_in(8) ? "" : random_value(random));
  }
}

Model random_model(Random& random, std::size_t depth) {
  if (depth == 0 || random.one_in(3)) {
    return random_scalar(random);
  }
  Model model;
  if (random.one_in(3)) {
    model.kind = Model::Kind::Array;
    for (std::size_t count = random.below(4); count > 0; --count) {
      model.elements.push_back(random_model(random, depth - 1));
    }
    return model;
  }
  model.kind = Model::Kind::Object;
  for (std::size_t count = random.below(5); count > 0; --count) {
    model.names.emplace_back(random.of(kNames));
    model.elements.push_back(random_model(random, depth - 1));
  }
  return model;
}

Model random_record(Random& random) {
  Model model;
  model.kind = Model::Kind::Object;
  for (std::size_t count = 1 + random.below(8); count > 0; --count) {
    model.names.emplace_back(random.of(kTops));
    model.elements.push_back(random_model(random, 4));
  }
  return model;
}

std::string blanks(Random& random) { return random.one_in(6) ? " \n" : ""; }

std::string written_string(Random& random, std::string_view text, bool escapes) {
  std::string out = "\"";
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    const bool ascii = static_cast<unsigned char>(c) < 0x80;
    if (ascii && (static_cast<unsigned char>(c) < 0x20 || (escapes && random.one_in(6)))) {
      out += c == '\n' && random.one_in(2) ? "\\n" : fmt::format("\\u{:04X}", c);
    } else if (c == '"' || c == '\\' || (c == '/' && escapes && random.one_in(2))) {
      out += '\\';
      out += c;
    } else if (text.substr(at).starts_with("\U0001F600") && escapes && random.one_in(2)) {
      out += "\\ud83d\\ude00";
      at += 3;
    } else {
      out += c;
    }
  }
  return out + '"';
}

/// Writes `model` and notes in it, and in all below it, the bytes that stand for it.
const std::string& write(Random& random, Model& model, bool escapes) {
  std::string& out = model.written;
  switch (model.kind) {
    case Model::Kind::Null:
      out = "null";
      break;
    case Model::Kind::Boolean:
    case Model::Kind::Number:
      out = model.text;
      break;
    case Model::Kind::String:
      out = written_string(random, model.text, escapes);
      break;
    case Model::Kind::Object:
      out = "{" + blanks(random);
      for (std::size_t i = 0; i < model.names.size(); ++i) {
        out += i == 0 ? "" : ",";
        out += written_string(random, model.names[i], escapes) + blanks(random) + ":";
        out += blanks(random) + write(random, model.elements[i], escapes) + blanks(random);
      }
      out += "}";
      break;
    case Model::Kind::Array:
      out = "[";
      for (std::size_t i = 0; i < model.elements.size(); ++i) {
        out += i == 0 ? "" : ",";
        out += blanks(random) + write(random, model.elements[i], escapes) + blanks(random);
      }
      out += "]";
      break;
  }
  return out;
}

/// True when Boost.JSON reads the text as the model says, numbers aside.
bool is_same(const json::value& value, const Model& model) {
  switch (model.kind) {
    case Model::Kind::Null:
      return value.is_null();
    case Model::Kind::Boolean:
      return value.is_bool() && value.get_bool() == (model.text == "true");
    case Model::Kind::Number:
      return value.is_number();
    case Model::Kind::String:
      return value.is_string() && std::string_view(value.get_string()) == model.text;
    case Model::Kind::Object:
      if (!value.is_object()) {
        return false;
      }
      for (std::size_t i = 0; i < model.names.size(); ++i) {
        // Of a name that stands twice Boost.JSON keeps the last.
        const auto later = model.names.begin() + static_cast<std::ptrdiff_t>(i) + 1;
        const bool is_last =
            std::find(later, model.names.end(), model.names[i]) == model.names.end();
        if (is_last && !is_same(value.get_object().at(model.names[i]), model.elements[i])) {
          return false;
        }
      }
      return true;
    case Model::Kind::Array:
      if (!value.is_array() || value.get_array().size() != model.elements.size()) {
        return false;
      }
      for (std::size_t i = 0; i < model.elements.size(); ++i) {
        if (!is_same(value.get_array()[i], model.elements[i])) {
          return false;
        }
      }
      return true;
  }
  return false;
}

bool naive_compare(const Test& test, const std::string& value) {
  switch (test.op) {
    case Operator::Equals:
      return value == test.value;
    case Operator::StartsWith:
      return value.starts_with(test.value);
    case Operator::EndsWith:
      return value.ends_with(test.value);
    case Operator::Contains:
      return value.contains(test.value);
    case Operator::ContainsIgnoreCase:
      return to_lower(value).contains(to_lower(test.value));
    case Operator::Exists:
      return true;
  }
  return false;
}

bool naive_path(const Test& test, const Model& model, std::size_t step) {
  const auto& path = test.target.path;
  if (model.kind == Model::Kind::Array) {
    for (const Model& element : model.elements) {
      if (naive_path(test, element, step)) {
        return true;
      }
    }
  }
  if (step < path.size()) {
    const auto first = std::ranges::find(model.names, path[step]);
    return first != model.names.end() &&
           naive_path(test, model.elements[static_cast<std::size_t>(first - model.names.begin())],
                      step + 1);
  }
  switch (model.kind) {
    case Model::Kind::Null:
      return false;
    case Model::Kind::Object:
    case Model::Kind::Array:
      return test.op != Operator::Equals && test.op != Operator::StartsWith &&
             test.op != Operator::EndsWith && naive_compare(test, model.written);
    case Model::Kind::Boolean:
    case Model::Kind::Number:
    case Model::Kind::String:
      return naive_compare(test, model.text);
  }
  return false;
}

struct Made {
  Model model;
  std::string id;
  record::Terms terms;
};

bool naive_matches(const Expression& expression, const Made& made) {
  const auto child_matches = [&](const auto& child) { return naive_matches(child, made); };
  const Test& test = expression.test;
  switch (expression.kind) {
    case Expression::Kind::All:
      return true;
    case Expression::Kind::Not:
      return !naive_matches(expression.children.front(), made);
    case Expression::Kind::And:
      return std::ranges::all_of(expression.children, child_matches);
    case Expression::Kind::Or:
      return std::ranges::any_of(expression.children, child_matches);
    case Expression::Kind::Test:
      break;
  }
  switch (test.target.kind) {
    case Target::Kind::AnyText:
      return naive_compare(test, made.model.written);
    case Target::Kind::EventId:
      return naive_compare(test, made.id);
    case Target::Kind::Path:
      return naive_path(test, made.model, 0);
    case Target::Kind::Field:
      break;
  }
  for (const auto term : made.terms) {
    if (term.field == test.target.field && naive_compare(test, std::string(term.value))) {
      return true;
    }
  }
  return false;
}

/// Terms as parse_record() finds them, of some fields: out of the record, and derived ones.
Made random_made(Random& random) {
  Made made{.model = random_record(random), .id = {}, .terms = {}};
  const bool escapes = random.one_in(2);
  for (std::size_t i = 0; i < made.model.names.size(); ++i) {
    const std::string& name = made.model.names[i];
    const Model& member = made.model.elements[i];
    const bool is_text = member.kind == Model::Kind::String || member.text == "17";
    if (name == "eventName" && is_text) {
      made.terms.add(Field::EventName, member.text);
    } else if (name == "errorCode" && is_text) {
      made.terms.add(Field::ErrorCode, member.text);
      made.id = member.text;
    } else if (name == "odd" && is_text) {
      made.terms.add(Field::Username, member.text == "Root" ? "root" : member.text);
    }
  }
  made.id = made.id.empty() ? "sha256:ab" : made.id;
  made.terms.add(Field::ResourceName, random_value(random));
  made.terms.add(Field::ResourceName, random_value(random));
  made.terms.add(Field::ReadOnly, random.one_in(2) ? "true" : "false");
  made.terms.add(Field::EventCategory, "Management");
  write(random, made.model, escapes);
  return made;
}

TEST(Matcher, AgreesWithAPlainEvaluation) {
  constexpr unsigned kSeed = 1234;
  SCOPED_TRACE(kSeed);
  Random random(kSeed);
  std::map<std::string, int> seen;
  for (int round = 0; round < 2000; ++round) {
    std::vector<Made> records;
    std::string block;
    for (int i = 0; i < 8; ++i) {
      records.push_back(random_made(random));
      const std::string& text = records.back().model.written;
      const auto checked = parse_json(text);
      ASSERT_TRUE(checked && is_same(*checked, records.back().model)) << text;
      block += text + '\n';
    }
    const Expression expression = random_expression(random, 3);
    const Matcher matcher(expression);
    bool any = false;
    for (const Made& made : records) {
      const std::string& text = made.model.written;
      SCOPED_TRACE(to_text(expression) + "\n" + text);
      const bool expected = naive_matches(expression, made);
      const auto found =
          matcher.matches(Matcher::Subject{.id = made.id, .json = text, .terms = made.terms});
      ASSERT_TRUE(found.has_value()) << found.error().message();
      ASSERT_EQ(*found, expected);
      const bool may = matcher.may_match(text);
      ASSERT_TRUE(may || !expected);
      ASSERT_TRUE(may || matcher.can_rule_out());
      any = any || expected;
      ++seen[expected ? "match" : may ? "no match" : "ruled out"];
    }
    ASSERT_TRUE(matcher.may_match(block) || !any) << to_text(expression) << '\n' << block;
  }
  for (const char* kind : {"match", "no match", "ruled out"}) {
    EXPECT_GT(seen[kind], 1000) << kind;
  }
}

}  // namespace
}  // namespace opentrail::search
