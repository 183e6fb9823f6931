#include "collect/aws_import.h"

#include "base/text.h"
#include "collect/file_walk.h"
#include "collect/record_file.h"
#include "collect/uploads.h"
#include "io/filesystem.h"
#include "record/record.h"

#include <algorithm>
#include <map>
#include <optional>
#include <tuple>
#include <utility>

#include <fmt/format.h>

namespace opentrail::collect {

namespace {

/// "line 17: what" -> 17 and "what": the splitter and we both name lines.
struct PlacedMessage {
  std::uint64_t line = 0;
  std::string what;
};

PlacedMessage take_line(const std::string& message) {
  constexpr std::string_view kPrefix = "line ";
  const auto colon = message.find(": ");
  if (message.starts_with(kPrefix) && colon != std::string::npos) {
    const auto line =
        parse_int(std::string_view(message).substr(kPrefix.size(), colon - kPrefix.size()));
    if (line && *line > 0) {
      return PlacedMessage{.line = static_cast<std::uint64_t>(*line),
                           .what = message.substr(colon + 2)};
    }
  }
  return PlacedMessage{.line = 0, .what = message};
}

class Importer {
 public:
  Importer(const ImportOptions& options, const io::Clock& clock, std::vector<Upload> uploads,
           const OnProgress& progress, ImportReport& report)
      : options_(options),
        clock_(clock),
        on_progress_(progress),
        report_(report),
        batch_(options.batch),
        uploads_(std::move(uploads), options.stop) {}

  Result<void> run(const std::vector<std::string>& paths) {
    OT_TRY_DO(measure(paths));
    auto outcome = import_all(paths);
    auto answered = take_answers();  // also of what went before an error
    if (outcome) {
      outcome = std::move(answered);
    }
    name_main_place();
    if (!outcome && outcome.error().reason() == kInterrupted) {
      report_.interrupted = true;
      return {};
    }
    return outcome;
  }

 private:
  /// A first walk, so that the progress has a total.
  Result<void> measure(const std::vector<std::string>& paths) {
    const WalkVisitor visitor{.on_file = [this](const InputFile& file) -> Result<void> {
                                progress_.bytes_total += file.bytes;
                                ++progress_.files_total;
                                return check_stop();
                              },
                              .on_skipped = [this](const SkippedPath&) { return check_stop(); }};
    auto walked = walk(paths, visitor);
    // An interruption is found again, and reported, by the walk that imports.
    return !walked && walked.error().reason() == kInterrupted ? Result<void>() : walked;
  }

  Result<void> import_all(const std::vector<std::string>& paths) {
    const WalkVisitor visitor{
        .on_file = [this](const InputFile& file) { return import_file(file); },
        .on_skipped = [this](const SkippedPath& skipped) -> Result<void> {
          if (skipped.failed) {
            broken_file(skipped.path, {.line = 0, .what = skipped.reason});
          } else {
            skip(skipped.path, "skipped, " + skipped.reason);
          }
          return {};
        }};
    OT_TRY_DO(walk(paths, visitor));
    return send_batch();
  }

  Result<void> import_file(const InputFile& file) {
    OT_TRY_DO(check_stop());
    RecordFileFacts facts;
    const auto read = read_record_file(
        *files_, file.path, [&](const auto& item) { return take(file.path, item); },
        [&](const auto& lines) { return take_broken(file.path, lines); },
        [this](std::uint64_t bytes) {
          progress_.bytes_done += bytes;
          on_progress_(progress_);
          return check_stop();
        },
        facts);
    if (fatal_) {
      return std::unexpected(*fatal_);
    }
    judge(file, facts, read);
    ++progress_.files_done;
    on_progress_(progress_);
    return {};
  }

  /// What is said about a file once it was read.
  void judge(const InputFile& file, const RecordFileFacts& facts, const Result<void>& read) {
    if (read && facts.not_json && file.kind == FileKind::MaybeJson) {
      skip(file.path, "skipped, not JSON");
      return;
    }
    if (read && !facts.has_text) {
      skip(file.path, "skipped, empty");
      return;
    }
    ++report_.files;
    if (facts.digests > 0) {
      report_.digests += facts.digests;
      add_problem({.kind = ProblemKind::Digest,
                   .file = file.path,
                   .record_id = {},
                   .what = "digest file, holds no records"});
    }
    if (!read) {
      PlacedMessage message = take_line(read.error().message());
      message.what += "; the rest of the file was not read";
      broken_file(file.path, std::move(message));
    } else if (facts.not_json) {
      broken_file(file.path, {.line = 1, .what = describe_first_byte(facts.first_byte)});
    }
  }

  static std::string describe_first_byte(unsigned char byte) {
    constexpr unsigned char kFirstPrintable = 0x20;
    constexpr unsigned char kDelete = 0x7f;
    return byte > kFirstPrintable && byte < kDelete
               ? fmt::format("not JSON: it begins with '{}'", static_cast<char>(byte))
               : fmt::format("not JSON: it begins with the byte 0x{:02x}", byte);
  }

  Result<void> take(const std::string& path, const record::RecordSplitter::Item& item) {
    // Checked here too, so that one broken record does not spoil the batch that it would stand in.
    const auto parsed =
        record::parse_record(std::string(item.json), record::Origin::Import, clock_.now());
    if (!parsed) {
      return take_invalid(path, item.line, parsed.error().message());
    }
    count_place(*parsed);
    if (!batch_.has_room(item.json.size())) {
      OT_TRY_DO(send_batch());
    }
    batch_.add(item.json, parsed->id, path, item.line);
    return {};
  }

  Result<void> take_broken(const std::string& path,
                           const record::RecordSplitter::BrokenLines& lines) {
    return take_invalid(path, lines.first, record::to_text(lines));
  }

  Result<void> take_invalid(const std::string& path, std::uint64_t line, const std::string& why) {
    ++report_.records;
    ++report_.invalid;
    add_problem({.kind = ProblemKind::Invalid,
                 .file = path,
                 .line = line,
                 .record_id = {},
                 .what = "not a record: " + why});
    return {};
  }

  /// Whatever the record says; only what can be looked up counts.
  void count_place(const record::Record& record) {
    constexpr std::size_t kAccountDigits = 12;
    constexpr std::size_t kPlacesMax = 1000;
    constexpr std::string_view kRegionCharacters = "abcdefghijklmnopqrstuvwxyz0123456789-";
    if (record.account_id.size() != kAccountDigits || !is_digits(record.account_id) ||
        record.region.empty() ||
        record.region.find_first_not_of(kRegionCharacters) != std::string::npos) {
      return;
    }
    const Place place{record.account_id, record.region};
    const auto known = places_.find(place);
    if (known != places_.end()) {
      ++known->second;
    } else if (places_.size() < kPlacesMax) {
      places_.emplace(place, 1);
    }
  }

  void name_main_place() {
    const auto most =
        std::ranges::max_element(places_, {}, [](const auto& of) { return of.second; });
    if (most != places_.end()) {
      std::tie(report_.main_account, report_.main_region) = most->first;
    }
  }

  Result<void> send_batch() {
    if (batch_.empty()) {
      return {};
    }
    OT_TRY_DO(check_stop());
    while (auto answered = uploads_.next()) {
      OT_TRY_DO(take_answer(*answered));
    }
    while (!uploads_.has_room_for(batch_)) {
      if (auto answered = uploads_.wait_next()) {
        OT_TRY_DO(take_answer(*answered));
      }
    }
    uploads_.send(std::exchange(batch_, Batch(options_.batch)));
    return {};
  }

  /// Of all that is under way. The first error, once everything is answered.
  Result<void> take_answers() {
    Result<void> outcome;
    while (auto answered = uploads_.wait_next()) {
      auto taken = take_answer(*answered);
      // What was not sent for another's error has none of its own.
      if (outcome || outcome.error().reason() == kInterrupted) {
        outcome = taken ? std::move(outcome) : std::move(taken);
      }
    }
    return outcome;
  }

  Result<void> take_answer(Uploads::Answered& answered) {
    auto& reply = answered.reply;
    const std::size_t sent = answered.batch.records();
    if (reply && reply->received + reply->digests != sent) {
      reply = fail(ErrorCode::Internal,
                   fmt::format("{} records were sent, the server saw {}", sent, reply->received));
    }
    if (!reply) {
      if (!fatal_) {
        fatal_ = reply.error();
      }
      return std::unexpected(std::move(reply).error());
    }
    count(*reply, answered.batch);
    progress_.records = report_.records;
    on_progress_(progress_);
    return {};
  }

  void count(const UploadReply& reply, const Batch& batch) {
    report_.records += reply.received;
    report_.added += reply.added;
    report_.duplicate += reply.duplicate;
    report_.conflicting += reply.conflicting;
    report_.expired += reply.expired;
    report_.invalid += reply.invalid;
    report_.digests += reply.digests;
    report_.oldest_kept = reply.oldest_kept;
    std::uint64_t listed = 0;
    for (const UploadReply::Line& line : reply.lines) {
      const bool conflicting = line.status == "Conflicting";
      if (!conflicting && line.status != "Invalid") {
        continue;
      }
      ++listed;
      SourcePlace place = batch.place_of(line.line);
      add_problem({.kind = conflicting ? ProblemKind::Conflicting : ProblemKind::Invalid,
                   .file = std::move(place.file),
                   .line = place.line,
                   .record_id = line.id,
                   .what = line.message});
    }
    // The server lists a bounded number of lines; the counts are of all.
    const std::uint64_t all = reply.conflicting + reply.invalid;
    report_.problems_not_listed += all > listed ? all - listed : 0;
  }

  void skip(const std::string& path, std::string what) {
    ++report_.files_skipped;
    add_problem(
        {.kind = ProblemKind::Skipped, .file = path, .record_id = {}, .what = std::move(what)});
  }

  void broken_file(const std::string& path, PlacedMessage message) {
    ++report_.files_broken;
    add_problem({.kind = ProblemKind::Broken,
                 .file = path,
                 .line = message.line,
                 .record_id = {},
                 .what = std::move(message.what)});
  }

  void add_problem(Problem problem) {
    if (report_.problems.size() >= kProblemsMax) {
      ++report_.problems_not_listed;
      return;
    }
    report_.problems.push_back(std::move(problem));
  }

  /// Also makes it the reason why everything ends, so that no file is called broken for it.
  Result<void> check_stop() {
    if (options_.stop != nullptr && options_.stop->load()) {
      fatal_ = Error(ErrorCode::Unavailable, "interrupted", std::string(kInterrupted));
      return std::unexpected(*fatal_);
    }
    return {};
  }

  const ImportOptions& options_;
  const io::Clock& clock_;
  const OnProgress& on_progress_;
  ImportReport& report_;
  std::unique_ptr<io::Filesystem> files_ = io::make_posix_filesystem();
  Batch batch_;
  ImportProgress progress_;
  using Place = std::pair<std::string, std::string>;  // account, Region
  std::map<Place, std::uint64_t> places_;
  std::optional<Error> fatal_;
  Uploads uploads_;  ///< Last: its threads end before what they use goes.
};

}  // namespace

std::string_view to_string(ProblemKind kind) {
  switch (kind) {
    case ProblemKind::Broken:
      return "broken";
    case ProblemKind::Invalid:
      return "invalid";
    case ProblemKind::Conflicting:
      return "conflicting";
    case ProblemKind::Skipped:
      return "skipped";
    case ProblemKind::Digest:
      return "digest";
  }
  return "unknown";
}

std::string to_text(const Problem& problem) {
  std::string text = problem.file;
  if (problem.line > 0) {
    text += fmt::format(":{}", problem.line);
  }
  text += ": ";
  if (!problem.record_id.empty()) {
    text += fmt::format("record {}: ", problem.record_id);
  }
  return text + problem.what;
}

bool ImportReport::clean() const {
  return files_broken == 0 && invalid == 0 && conflicting == 0 && !interrupted;
}

Result<void> import_aws(const std::vector<std::string>& paths, const ImportOptions& options,
                        const io::Clock& clock, std::vector<Upload> uploads,
                        const OnProgress& progress, ImportReport& report) {
  return Importer(options, clock, std::move(uploads), progress, report).run(paths);
}

}  // namespace opentrail::collect
