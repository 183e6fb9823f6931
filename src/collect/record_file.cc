#include "collect/record_file.h"

#include <memory>

namespace opentrail::collect {

namespace {

/// White space, and the bytes of a byte order mark (which the splitter passes over).
constexpr std::string_view kBeforeText = " \t\r\n\xef\xbb\xbf";

/// In front of the splitter: looks how the text begins before anything is made of it.
class TextGate {
 public:
  TextGate(record::RecordSplitter& splitter, RecordFileFacts& facts)
      : splitter_(splitter), facts_(facts) {}

  Result<void> feed(std::string_view text) {
    if (!facts_.has_text) {
      const auto first = text.find_first_not_of(kBeforeText);
      if (first != std::string_view::npos) {
        facts_.has_text = true;
        facts_.first_byte = static_cast<unsigned char>(text[first]);
        facts_.not_json = text[first] != '{' && text[first] != '[';
      }
    }
    return facts_.not_json ? Result<void>() : splitter_.feed(text);
  }

  Result<void> finish() {
    return facts_.not_json || !facts_.has_text ? Result<void>() : splitter_.finish();
  }

 private:
  record::RecordSplitter& splitter_;
  RecordFileFacts& facts_;
};

Result<void> unpack(Unpacker& unpacker, std::string_view piece, TextGate& gate) {
  for (;;) {
    OT_TRY(const std::string_view text, unpacker.next(piece));
    if (text.empty()) {
      return {};
    }
    OT_TRY_DO(gate.feed(text));
  }
}

Result<void> read_through(io::Filesystem& files, const std::string& path, TextGate& gate,
                          const std::function<Result<void>(std::uint64_t)>& on_read,
                          RecordFileFacts& facts) {
  OT_TRY(const auto file, files.open(path, io::OpenMode::Read));
  std::unique_ptr<Unpacker> unpacker;
  std::uint64_t position = 0;
  for (;;) {
    OT_TRY(const std::string piece, file->read_at(position, kReadBytes));
    if (piece.empty()) {
      break;
    }
    if (!unpacker) {
      facts.coding = coding_of(piece);
      unpacker = Unpacker::make(facts.coding);
    }
    position += piece.size();
    OT_TRY_DO(unpack(*unpacker, piece, gate));
    OT_TRY_DO(on_read(piece.size()));
    if (facts.not_json) {
      return {};
    }
  }
  if (unpacker) {
    OT_TRY_DO(unpacker->finish());
  }
  return gate.finish();
}

}  // namespace

Result<void> read_record_file(io::Filesystem& files, const std::string& path,
                              record::RecordSplitter::Sink sink,
                              record::RecordSplitter::OnBroken on_broken,
                              const std::function<Result<void>(std::uint64_t)>& on_read,
                              RecordFileFacts& facts) {
  record::RecordSplitter splitter(std::move(sink), std::move(on_broken));
  TextGate gate(splitter, facts);
  auto read = read_through(files, path, gate, on_read, facts);
  facts.digests = splitter.digests_seen();
  return read;
}

}  // namespace opentrail::collect
