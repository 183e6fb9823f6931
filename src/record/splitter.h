#pragma once
#include "base/error.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace opentrail::record {

/// Deeper nesting than this ends the splitting; parse_record has a lower bound for one record.
inline constexpr std::size_t kSplitDepthMax = 512;

/// How the end of a record is found; the items and the errors are the same. ByteWise takes a step a
/// byte: what the others are tested against. They take 64 bytes at a time and fall back on it for
/// an object that is broken, or an envelope, or a digest. Avx2 needs a processor that has it.
enum class SplitMethod : std::uint8_t { ByteWise, Sse2, Avx2 };
/// The fastest that this processor has.
[[nodiscard]] SplitMethod best_split_method();

/// Cuts a stream of bytes into the JSON objects that are records, byte for byte, in the memory of
/// one record (kRecordBytesMax; a larger object is an error, an envelope or what stands before
/// "Records" counts as one). Accepts what the world stores: {"Records":[...]} (any key order), a
/// JSON array, NDJSON or any run of JSON objects, and EventBridge envelopes (the object in "detail"
/// is the record when the envelope has "detail-type"). Digest files (an object with
/// "digestS3Object") are told apart and counted, not taken for records. The splitter finds where
/// each object ends; whether it is valid JSON is for parse_record to say. The items do not depend
/// on how the stream was cut into feeds. One thread at a time.
///
/// NDJSON goes on behind a broken line when there is someone to tell: as long as each object of the
/// stream had a line of its own, what is broken costs the lines up to the next that begins with
/// '{'. In any other stream a break ends it: what stands behind may be a part of a record, and
/// would be taken for one.
class RecordSplitter {
 public:
  struct Item {
    /// Valid during the call. A part of what was fed when the whole record lies in it, not a copy.
    std::string_view json;
    std::uint64_t line;  ///< 1-based line of its first byte.
  };
  using Sink = std::function<Result<void>(const Item&)>;
  /// Lines of NDJSON that were passed over, the last one included.
  struct BrokenLines {
    std::uint64_t first;
    std::uint64_t last;
    std::string what;  ///< What is wrong with the first; without its number.
  };
  using OnBroken = std::function<Result<void>(const BrokenLines&)>;

  /// Without `on_broken` any break is an error.
  explicit RecordSplitter(Sink sink, OnBroken on_broken = nullptr,
                          SplitMethod method = best_split_method());
  ~RecordSplitter();
  RecordSplitter(const RecordSplitter&) = delete;
  RecordSplitter& operator=(const RecordSplitter&) = delete;

  /// Feeds the next bytes. Errors: InvalidArgument with the line ("line 17: ..."), or the sink's or
  /// on_broken's as it is.
  /// After an error nothing more is accepted.
  Result<void> feed(std::string_view bytes);
  /// The end of the input: an open object or array is an error that names its line.
  Result<void> finish();
  [[nodiscard]] std::uint64_t digests_seen() const;
  /// The line the splitter is in, 1-based; after an error the one that the error names.
  [[nodiscard]] std::uint64_t line() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// "what", and up to which line, when that is another one.
[[nodiscard]] std::string to_text(const RecordSplitter::BrokenLines& lines);

}  // namespace opentrail::record
