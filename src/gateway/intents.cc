#include "gateway/intents.h"

#include "base/log.h"
#include "base/text.h"
#include "journal/await_append.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

namespace opentrail::gateway {
namespace {

namespace asio = boost::asio;
using journal::Offset;

constexpr std::uint64_t kSegmentBytes = 4 << 20;
constexpr std::size_t kReadBytes = 1 << 20;
/// Entries are dropped by whole segments; looking more often than this finds none.
constexpr std::size_t kEndsBetweenDrops = 1024;
/// Up to which offset an earlier start has settled them.
constexpr std::size_t kSettledBytesMax = 32;
constexpr std::string_view kSettledFile = "settled";

}  // namespace

Result<std::unique_ptr<Intents>> Intents::open(io::Filesystem& files, std::string folder) {
  journal::JournalOptions options;
  options.folder = io::join_path(folder, "journal");
  options.segment_bytes_max = kSegmentBytes;
  options.recent_bytes_max = 0;
  options.dictionary_sample_bytes = 0;
  OT_TRY(auto journal, journal::Journal::open(files, std::move(options)));
  return std::unique_ptr<Intents>(new Intents(files, std::move(folder), std::move(journal)));
}

Result<Offset> Intents::settled_end() const {
  const std::string path = io::join_path(folder_, kSettledFile);
  if (!files_.exists(path)) {
    return journal_->begin();
  }
  OT_TRY(const std::string text, io::read_file(files_, path, kSettledBytesMax));
  const auto number = parse_int(trim(text));
  if (!number || *number < 0) {
    return fail(ErrorCode::Corruption,
                fmt::format("{}: is no offset; remove it to settle all intents again", path));
  }
  return std::max(journal_->begin(), Offset{static_cast<std::uint64_t>(*number)});
}

Result<void> Intents::settle(const std::function<Result<void>(record::Record)>& settle) {
  OT_TRY(Offset at, settled_end());
  while (at < journal_->durable_end()) {
    OT_TRY(auto records, journal_->read(at, kReadBytes));
    for (journal::StoredRecord& stored : records) {
      OT_TRY_DO(settle(std::move(stored.record)));
      at = stored.offset + 1;
    }
  }
  const std::string text = fmt::format("{}\n", value(at));
  OT_TRY_DO(io::write_file_atomically(files_, io::join_path(folder_, kSettledFile), text));
  return journal_->drop_before(at);
}

asio::awaitable<Result<Offset>> Intents::begin(record::Record intent) {
  // Until its own offset is known, nothing from here on may be dropped.
  const Offset guard = journal_->durable_end();
  {
    const MutexLock lock(mutex_);
    open_.insert(guard);
  }
  std::vector<record::Record> batch;
  batch.push_back(std::move(intent));
  auto offset = co_await journal::await_append(*journal_, std::move(batch));
  const MutexLock lock(mutex_);
  open_.erase(open_.find(guard));
  if (offset) {
    open_.insert(*offset);
  }
  co_return offset;
}

void Intents::end(Offset offset) {
  Offset first = offset;
  {
    const MutexLock lock(mutex_);
    open_.erase(open_.find(offset));
    if (++ended_ < kEndsBetweenDrops) {
      return;
    }
    ended_ = 0;
    first = open_.empty() ? offset : *open_.begin();
  }
  if (const auto dropped = journal_->drop_before(first); !dropped) {
    log::warn("intents that are settled stay for now: {}", dropped.error().message());
  }
}

}  // namespace opentrail::gateway
