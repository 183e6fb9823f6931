#include "record/splitter.h"

#include "record/object_scan.h"
#include "record/object_steps.h"
#include "record/record.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>

namespace opentrail::record {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

std::string shown(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x20 && byte < 0x7F ? fmt::format("'{}'", c) : fmt::format("byte 0x{:02x}", byte);
}

}  // namespace

struct RecordSplitter::Impl {
  /// Where the next byte stands.
  enum class Place : std::uint8_t {
    Start,         ///< Before all; a byte order mark may come.
    Between,       ///< Outside of all values.
    FirstElement,  ///< Behind '['.
    NextElement,   ///< Behind a ',' of a list.
    AfterElement,
    InObject,      ///< In an object that is kept.
    InRestOfFile,  ///< Behind the list of {"Records":[...]}, in what is not kept.
    InBroken       ///< Passing over broken lines.
  };
  struct Break {
    std::uint64_t line;
    std::string what;
  };

  Impl(Sink s, OnBroken on_broken_in, SplitMethod m)
      : sink(std::move(s)), on_broken(std::move(on_broken_in)), method(m), scan(m) {}

  Result<void> take(std::string_view bytes);
  [[nodiscard]] bool begins_scan(char c) const;
  Result<std::size_t> take_scanned(std::string_view bytes);
  Result<std::size_t> end_scanned(std::string_view bytes);
  Result<std::size_t> read_again(std::string_view bytes);
  Result<void> step(char c);
  std::size_t take_plain_run(std::string_view bytes);
  Result<void> step_start(char c);
  Result<void> step_between(char c);
  Result<void> step_in_list(char c);
  Result<void> step_in_object(char c);
  Result<void> begin_object(char c);
  Result<void> begin_value(char c);
  Result<void> end_object();
  Result<void> emit_object();
  void end_list();
  void note_begin();
  void note_value();
  [[nodiscard]] bool goes_on_behind_break() const;
  Result<std::size_t> pass_over(std::string_view bytes);
  Result<void> end_broken(std::uint64_t last_line);
  [[nodiscard]] Place after_value() const {
    return in_records || in_list ? Place::AfterElement : Place::Between;
  }
  std::unexpected<Error> fail_at(std::uint64_t at, std::string_view what) {
    broken = Break{.line = at, .what = std::string(what)};
    return fail(ErrorCode::InvalidArgument, fmt::format("line {}: {}", at, what));
  }

  Sink sink;
  OnBroken on_broken;
  SplitMethod method;
  ObjectScan scan;
  bool scanning = false;  ///< An object is open of which `scan` knows; `place` is still before it.
  Place place = Place::Start;
  std::size_t mark_bytes = 0;  ///< Of the byte order mark, seen so far.
  std::uint64_t line = 1;
  std::uint64_t digests = 0;
  bool in_list = false;     ///< In an outermost [...].
  bool in_records = false;  ///< In the list of {"Records":[...]}.
  bool failed = false;
  bool at_line_begin = true;
  std::uint64_t values = 0;  ///< Outermost ones that ended.
  /// Each of them began a line and ended on it.
  bool values_are_lines = true;
  std::optional<Break> broken;  ///< The text, as opposed to an error of the sink.

  ObjectSteps steps;
  std::string object;  ///< The bytes of the open object, of former feeds alone while scanning.
  std::uint64_t object_line = 1;
  bool object_begins_line = false;
  std::uint64_t outer_line = 1;  ///< Of the outermost object that is open, or was last.
  bool outer_begins_line = false;
  bool outer_has_lines = false;  ///< More than one, blank ones aside.
  std::uint64_t list_line = 1;
  std::uint64_t file_line = 1;  ///< Of the '{' of {"Records":[...]}.
  bool has_detail_type = false;
  bool is_digest = false;
  bool in_detail = false;
  struct Detail {
    std::size_t begin;
    std::size_t end;  ///< 0 while it is open.
    std::uint64_t line;
  };
  std::optional<Detail> detail;
};

Result<void> RecordSplitter::Impl::take(std::string_view bytes) {
  while (!bytes.empty()) {
    if (scanning || begins_scan(bytes.front())) {
      OT_TRY(const std::size_t taken, take_scanned(bytes));
      bytes.remove_prefix(taken);
      continue;
    }
    if (place == Place::InBroken) {
      OT_TRY(const std::size_t passed, pass_over(bytes));
      bytes.remove_prefix(passed);
      continue;
    }
    if (const std::size_t run = take_plain_run(bytes); run > 0) {
      at_line_begin = false;
      bytes.remove_prefix(run);
      continue;
    }
    const bool in_mark = place == Place::Start && bytes.front() == kByteOrderMark[mark_bytes];
    if (auto taken = step(bytes.front()); !taken) {
      if (!broken || !goes_on_behind_break()) {
        return taken;
      }
      if (place != Place::Between) {
        broken->line = outer_line;
      }
      place = Place::InBroken;
      in_records = false;
      continue;  // the byte may begin the next record
    }
    line += bytes.front() == '\n' ? 1 : 0;
    at_line_begin = bytes.front() == '\n' || in_mark;
    bytes.remove_prefix(1);
  }
  return {};
}

bool RecordSplitter::Impl::goes_on_behind_break() const {
  const bool in_lines = place != Place::Between && outer_has_lines;
  return on_broken && values > 0 && values_are_lines && !in_list && !in_lines;
}

/// Up to the next line that begins with '{': how many of `bytes` are passed over.
Result<std::size_t> RecordSplitter::Impl::pass_over(std::string_view bytes) {
  if (at_line_begin && bytes.front() == '{') {
    OT_TRY_DO(end_broken(line - 1));
    place = Place::Between;
    return 0;
  }
  const std::size_t end = bytes.find('\n');
  at_line_begin = end != std::string_view::npos;
  line += at_line_begin ? 1 : 0;
  return at_line_begin ? end + 1 : bytes.size();
}

Result<void> RecordSplitter::Impl::end_broken(std::uint64_t last_line) {
  const Break first = *std::exchange(broken, std::nullopt);
  return on_broken(BrokenLines{
      .first = first.line, .last = std::max(first.line, last_line), .what = first.what});
}

bool RecordSplitter::Impl::begins_scan(char c) const {
  if (c != '{' || method == SplitMethod::ByteWise) {
    return false;
  }
  return place == Place::Between || place == Place::FirstElement || place == Place::NextElement ||
         (place == Place::Start && mark_bytes == 0);
}

/// The fast lane: how many of `bytes` it took.
Result<std::size_t> RecordSplitter::Impl::take_scanned(std::string_view bytes) {
  if (!scanning) {
    scanning = true;
    scan.start();
    object.clear();
    note_begin();
  }
  // An object at its limit that does not end is for the slow lane to refuse.
  const std::string_view part = bytes.substr(0, kRecordBytesMax - object.size());
  const ObjectScan::Outcome outcome = scan.take(part);
  if (outcome.verdict == ObjectScan::Verdict::Doubtful || part.empty()) {
    return read_again(bytes);
  }
  line += outcome.new_lines;
  at_line_begin = false;  // of no meaning inside, and known again when the object is read again
  const std::string_view taken = part.substr(0, outcome.bytes);
  if (outcome.verdict == ObjectScan::Verdict::Ends) {
    return end_scanned(taken);
  }
  object += taken;
  return taken.size();
}

Result<std::size_t> RecordSplitter::Impl::end_scanned(std::string_view bytes) {
  scanning = false;
  place = after_value();
  outer_has_lines = outer_has_lines || line != outer_line;  // its last byte is on another one
  note_value();
  if (object.empty()) {
    OT_TRY_DO(sink(Item{.json = bytes, .line = object_line}));
  } else {
    object += bytes;
    OT_TRY_DO(sink(Item{.json = object, .line = object_line}));
  }
  return bytes.size();
}

/// Reads the open object again from its first byte, a step a byte. What the fast lane kept of it is
/// bounded by kRecordBytesMax, and no byte is read again twice: of what is inside only the records
/// of {"Records":[...]} go back to the fast lane, and these have none inside.
Result<std::size_t> RecordSplitter::Impl::read_again(std::string_view bytes) {
  scanning = false;
  line = object_line;
  at_line_begin = object_begins_line;
  if (place == Place::Start) {
    place = Place::Between;
  }
  if (object.empty()) {
    OT_TRY_DO(step(bytes.front()));
    at_line_begin = false;
    return 1;
  }
  const std::string kept = std::exchange(object, std::string());
  OT_TRY_DO(step(kept.front()));
  at_line_begin = false;
  OT_TRY_DO(take(std::string_view(kept).substr(1)));
  return 0;
}

Result<void> RecordSplitter::Impl::step(char c) {
  switch (place) {
    case Place::Start:
      return step_start(c);
    case Place::Between:
      return step_between(c);
    case Place::FirstElement:
    case Place::NextElement:
    case Place::AfterElement:
      return step_in_list(c);
    case Place::InObject:
    case Place::InRestOfFile:
      return step_in_object(c);
    case Place::InBroken:
      break;  // pass_over() takes these
  }
  return {};
}

/// The fast lane: most bytes of a record are inside strings. Takes none when step() must decide.
std::size_t RecordSplitter::Impl::take_plain_run(std::string_view bytes) {
  if (place != Place::InObject) {
    return 0;
  }
  const std::size_t run = steps.plain_run(bytes.substr(0, kRecordBytesMax - object.size()));
  object.append(bytes, 0, run);
  return run;
}

Result<void> RecordSplitter::Impl::step_start(char c) {
  if (c == kByteOrderMark[mark_bytes]) {
    if (++mark_bytes == kByteOrderMark.size()) {
      place = Place::Between;
    }
    return {};
  }
  if (mark_bytes > 0) {
    return fail_at(line, "the text is not UTF-8 JSON");
  }
  place = Place::Between;
  return step_between(c);
}

Result<void> RecordSplitter::Impl::step_between(char c) {
  if (is_space(c)) {
    return {};
  }
  if (c == '[') {
    in_list = true;
    list_line = line;
    place = Place::FirstElement;
    values_are_lines = false;
    return {};
  }
  return begin_object(c);
}

Result<void> RecordSplitter::Impl::step_in_list(char c) {
  if (is_space(c)) {
    return {};
  }
  // All but what may be the next line of NDJSON, behind one that was cut off.
  if (place != Place::AfterElement || c != '{' || !at_line_begin) {
    outer_has_lines = outer_has_lines || line != outer_line;
  }
  if (c == ']' && place != Place::NextElement) {
    end_list();
    return {};
  }
  if (place != Place::AfterElement) {
    return begin_object(c);
  }
  if (c != ',') {
    return fail_at(line, fmt::format("',' or ']' expected after a record, not {}", shown(c)));
  }
  place = Place::NextElement;
  return {};
}

void RecordSplitter::Impl::end_list() {
  if (in_records) {
    in_records = false;
    steps.start_behind_value();
    place = Place::InRestOfFile;
  } else {
    in_list = false;
    place = Place::Between;
  }
}

Result<void> RecordSplitter::Impl::begin_object(char c) {
  if (c != '{') {
    return fail_at(line, fmt::format("a JSON object expected, not {}", shown(c)));
  }
  steps.start();
  object.clear();
  note_begin();
  has_detail_type = false;
  is_digest = false;
  in_detail = false;
  detail.reset();
  place = Place::InObject;
  return step_in_object(c);
}

Result<void> RecordSplitter::Impl::step_in_object(char c) {
  if (c == '{' && at_line_begin && steps.misplaced_brace() && goes_on_behind_break()) {
    return fail_at(object_line, "the object that begins here does not end on its line");
  }
  outer_has_lines = outer_has_lines || (line != outer_line && !is_space(c));
  if (place == Place::InObject) {
    if (object.size() == kRecordBytesMax) {
      return fail_at(object_line, fmt::format("the object that begins here is larger than {} bytes",
                                              kRecordBytesMax));
    }
    object += c;
  }
  switch (steps.step(c)) {
    case ObjectSteps::Event::None:
      return {};
    case ObjectSteps::Event::ValueBegins:
      return begin_value(c);
    case ObjectSteps::Event::ValueEnds:
      if (in_detail) {
        in_detail = false;
        detail->end = object.size();
      }
      return {};
    case ObjectSteps::Event::ObjectEnds:
      return end_object();
    case ObjectSteps::Event::Broken:
      return fail_at(line, steps.problem());
  }
  return {};
}

Result<void> RecordSplitter::Impl::begin_value(char c) {
  const std::string_view key = steps.key();
  if (key == "Records" && !in_records) {
    if (c != '[') {
      return fail_at(line, "\"Records\" is not a list");
    }
    if (place == Place::InObject) {
      file_line = object_line;
    }
    in_records = true;
    list_line = line;
    object.clear();
    place = Place::FirstElement;
  } else if (key == "detail-type") {
    has_detail_type = true;
  } else if (key == "digestS3Object") {
    is_digest = true;
  } else if (key == "detail" && c == '{' && !detail && place == Place::InObject) {
    in_detail = true;
    detail = Detail{.begin = object.size() - 1, .end = 0, .line = line};
  }
  return {};
}

Result<void> RecordSplitter::Impl::end_object() {
  const bool kept = place == Place::InObject;
  place = after_value();
  note_value();
  return kept ? emit_object() : Result<void>();
}

void RecordSplitter::Impl::note_begin() {
  object_line = line;
  object_begins_line = at_line_begin;
  if (!in_records && !in_list) {
    outer_line = line;
    outer_begins_line = at_line_begin;
    outer_has_lines = false;
  } else {
    outer_has_lines = outer_has_lines || line != outer_line;
  }
}

void RecordSplitter::Impl::note_value() {
  if (in_records || in_list) {
    return;
  }
  ++values;
  values_are_lines = values_are_lines && outer_begins_line && outer_line == line;
}

Result<void> RecordSplitter::Impl::emit_object() {
  if (is_digest) {
    ++digests;
    return {};
  }
  const std::string_view whole = object;
  if (has_detail_type && detail) {
    return sink(Item{whole.substr(detail->begin, detail->end - detail->begin), detail->line});
  }
  return sink(Item{whole, object_line});
}

RecordSplitter::RecordSplitter(Sink sink, OnBroken on_broken, SplitMethod method)
    : impl_(std::make_unique<Impl>(std::move(sink), std::move(on_broken), method)) {}
RecordSplitter::~RecordSplitter() = default;

Result<void> RecordSplitter::feed(std::string_view bytes) {
  if (impl_->failed) {
    return fail(ErrorCode::InvalidArgument, "no input is taken after an error or the end");
  }
  auto done = impl_->take(bytes);
  impl_->failed = !done.has_value();
  return done;
}

Result<void> RecordSplitter::finish() {
  using Place = Impl::Place;
  Impl& impl = *impl_;
  if (impl.failed) {
    return fail(ErrorCode::InvalidArgument, "no input is taken after an error or the end");
  }
  impl.failed = true;  // nothing may follow
  if (impl.place == Place::InBroken) {
    return impl.end_broken(impl.at_line_begin ? impl.line - 1 : impl.line);
  }
  if (impl.place == Place::Start && impl.mark_bytes > 0) {
    return impl.fail_at(impl.line, "the text is not UTF-8 JSON");
  }
  if (impl.scanning || impl.place == Place::InObject) {
    return impl.fail_at(impl.object_line, "the object that begins here does not end");
  }
  if (impl.place == Place::InRestOfFile) {
    return impl.fail_at(impl.file_line, "the object that begins here does not end");
  }
  if (impl.in_records || impl.in_list) {
    return impl.fail_at(impl.list_line, "the list that begins here does not end");
  }
  return {};
}

std::uint64_t RecordSplitter::digests_seen() const { return impl_->digests; }
std::uint64_t RecordSplitter::line() const {
  return impl_->failed && impl_->broken ? impl_->broken->line : impl_->line;
}

std::string to_text(const RecordSplitter::BrokenLines& lines) {
  return lines.first == lines.last
             ? lines.what
             : fmt::format("{}; the lines up to {} were left out", lines.what, lines.last);
}

}  // namespace opentrail::record
