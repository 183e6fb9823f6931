#pragma once
#include "base/error.h"
#include "base/mutex.h"
#include "history/index/index.h"
#include "history/sip_hash.h"
#include "history/store/block_cache.h"
#include "history/store/block_source.h"
#include "history/store/journal_blocks.h"
#include "history/store/recent_docs.h"
#include "history/store/rescued_ids.h"
#include "history/store/segment_set.h"
#include "io/filesystem.h"
#include "io/random.h"
#include "journal/journal.h"

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <vector>

#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_flat_set.hpp>

namespace opentrail::history {

struct StoreOptions {
  std::string folder;
  /// So many records are sealed into a segment at a time.
  std::size_t seal_records = 128 << 10;
  /// Beyond so many records that are not sealed, nothing more is applied until some are.
  std::size_t unsealed_records_max = 1 << 20;
  /// Segments are merged up to about this size.
  std::size_t segment_records_max = 2 << 20;
  /// So much of what was decoded last is kept.
  std::size_t block_cache_bytes = 16 << 20;
  /// How long after a failure until it is tried again.
  std::chrono::milliseconds retry_interval{2000};
};

/// A run of records that can be searched: sealed, or in memory with its blocks on the journal.
struct Part {
  std::shared_ptr<const Index> index;
  std::shared_ptr<const SegmentFile> segment;  ///< Null: the blocks are on the journal.

  [[nodiscard]] const IndexMeta& meta() const { return index->meta(); }
};

/// Everything that can be searched at one moment. Immutable but for what is added to `recent`, of
/// which only the first `recent_count` belong to it.
struct View {
  std::vector<Part> parts;  ///< By offset, without overlap.
  std::shared_ptr<const RecentDocs> recent;
  std::size_t recent_count = 0;
  journal::Offset end{0};  ///< Applied up to here.
};

/// All records that can be found, by the three ages of a record: in a small table that is looked
/// through, in indexes in memory whose blocks are on the journal, in sealed segments. Records are
/// applied by one thread; a thread of its own seals, merges and drops; any thread reads.
class EventStore final : public BlockSource {
 public:
  /// Opens what is sealed; what is not is applied anew by the owner, from applied_end() on. The
  /// journal and the files outlive it. Errors: Corruption when files are missing or damaged, or
  /// when the journal ends before what is sealed does or begins behind it; the files'.
  static Result<std::unique_ptr<EventStore>> open(io::Filesystem& files, journal::Journal& journal,
                                                  io::Random& random, StoreOptions options);
  ~EventStore() override;
  EventStore(const EventStore&) = delete;
  EventStore& operator=(const EventStore&) = delete;

  [[nodiscard]] journal::Offset applied_end() const EXCLUDES(mutex_);
  /// Applies the records of the runs, which follow each other, from applied_end() on. Of records
  /// with the same id the first counts, one older than `oldest` not at all; one that is damaged
  /// counts as not there, as nobody can be shown it. Errors: Throttled when too much waits to be
  /// sealed (try again later); those of the files. By one thread.
  Result<void> apply(std::span<const journal::RecordRun> runs, Timestamp oldest);
  /// Forgets what is older than `oldest`: in memory at once, sealed segments soon.
  void expire(Timestamp oldest);

  [[nodiscard]] View view() const EXCLUDES(mutex_);
  /// Where the record of this id stands that counts, if it is not older than `oldest`. Errors:
  /// Corruption, those of the journal and the files.
  Result<std::optional<journal::Offset>> find_id(std::string_view id, Timestamp oldest) const;
  /// The same of each id, in their order: cheaper than one after the other.
  Result<std::vector<std::optional<journal::Offset>>> find_ids(
      std::span<const std::string_view> ids, Timestamp oldest) const EXCLUDES(mutex_);
  /// From a segment, or the journal, wherever the record is now.
  Result<journal::RawBlock> block_at(journal::Offset offset) const override EXCLUDES(mutex_);
  /// Of whoever reads single records.
  [[nodiscard]] BlockCache& block_cache() const { return block_cache_; }

  /// Records before this offset are sealed, or older than what was expired.
  [[nodiscard]] journal::Offset needed_from() const EXCLUDES(mutex_);
  [[nodiscard]] std::uint64_t size() const EXCLUDES(mutex_);
  /// How many segments were found to be damaged, and are still there.
  [[nodiscard]] std::size_t damaged() const EXCLUDES(mutex_);
  /// The last failure to seal, merge or drop, until one succeeds.
  [[nodiscard]] std::optional<Error> failure() const EXCLUDES(mutex_);
  /// Waits until nothing is left to seal or merge; for tests and benchmarks. False after a failure.
  bool wait_settled() EXCLUDES(mutex_);
  void stop();

 private:
  /// Hash of an id -> offset of the record that counts.
  using TailIds = boost::unordered_flat_map<std::uint64_t, journal::Offset>;
  using IdHashes = boost::unordered_flat_set<std::uint64_t>;

  EventStore(io::Filesystem& files, journal::Journal& journal, StoreOptions options)
      : files_(files),
        options_(std::move(options)),
        journal_(journal),
        journal_blocks_(journal),
        block_cache_(options_.block_cache_bytes) {}
  Result<void> start(io::Random& random);
  Result<void> check_journal(journal::Offset sealed_end);
  Result<void> begin_anew();

  /// A record that may be there already.
  struct Asked {
    std::uint64_t hash;  ///< All 64 bits.
    std::string_view id;
    journal::Offset own;
    const record::Record* record;          ///< Null for a mere question.
    std::optional<journal::Offset> first;  ///< Of a record that came before it and has its hash.
    bool sealed_hash = false;              ///< Some segment has its hash, of whatever id and age.
  };

  // The applying thread.
  Result<std::vector<NewDoc>> new_docs(std::span<const journal::RecordRun> runs,
                                       journal::Offset from, Timestamp oldest);
  void add_docs(RecordRange range, std::vector<NewDoc> docs) EXCLUDES(mutex_);
  void find_first(std::vector<Asked>& asked) EXCLUDES(mutex_);
  [[nodiscard]] journal::Offset first_by_now(const Asked& one) const EXCLUDES(mutex_);
  void remember(const Asked& one) EXCLUDES(mutex_);
  void forget(const Asked& one) EXCLUDES(mutex_);
  void add_tail_part(std::unique_ptr<const Index> index) REQUIRES(mutex_);
  void merge_small_parts() EXCLUDES(mutex_);
  [[nodiscard]] std::size_t unsealed_docs() const REQUIRES(mutex_);

  // The sealing thread.
  void run();
  struct Work {
    std::vector<Part> to_seal;
    std::optional<Timestamp> expire;
    bool merge = false;
  };
  std::optional<Work> await_work() EXCLUDES(mutex_);
  [[nodiscard]] bool seals_now() const REQUIRES(mutex_);
  Result<void> do_work(const Work& work);
  void come_back_to(const Work& work) REQUIRES(mutex_);
  Result<void> seal(const std::vector<Part>& parts);
  Result<bool> merge_once() EXCLUDES(mutex_);
  struct Neighbours {
    std::size_t at;
    std::size_t count;
  };
  [[nodiscard]] std::optional<Neighbours> to_merge() const EXCLUDES(mutex_);
  Result<bool> has_room_for(Neighbours neighbours);
  bool note_damage_among(Neighbours neighbours, const Error& cause) EXCLUDES(mutex_);
  void publish_segments() REQUIRES(mutex_);
  /// Says so, once; what is damaged is not merged.
  void note_damage(const SegmentFile& segment, const Error& error) const EXCLUDES(mutex_);

  [[nodiscard]] std::shared_ptr<const SegmentFile> segment_of(journal::Offset offset) const
      EXCLUDES(mutex_);
  [[nodiscard]] Result<bool> has_id(journal::Offset offset, std::string_view id,
                                    Timestamp oldest) const;
  Result<void> find_sealed(std::vector<Asked>& asked, Timestamp oldest) const EXCLUDES(mutex_);
  /// Where an id of this hash may be in the segment, whatever became of its table of ids.
  Result<void> ids_in(const std::shared_ptr<const SegmentFile>& segment, std::uint64_t hash,
                      std::vector<journal::Offset>& found) const EXCLUDES(mutex_, rescue_mutex_);
  [[nodiscard]] std::shared_ptr<const RescuedIds> rescued_ids(
      const std::shared_ptr<const SegmentFile>& segment) const EXCLUDES(rescue_mutex_);
  [[nodiscard]] Result<bool> repeats(const Asked& one, journal::Offset first,
                                     Timestamp oldest) const;
  void note_absent(const std::vector<Asked>& asked, std::span<const std::uint32_t> looked_for) const
      REQUIRES(mutex_);

  io::Filesystem& files_;
  const StoreOptions options_;
  journal::Journal& journal_;
  const JournalBlocks journal_blocks_;
  mutable BlockCache block_cache_;
  std::unique_ptr<SegmentSet> set_;  ///< The sealing thread's.
  bool merge_postponed_ = false;     ///< The sealing thread's: the disk is too full for it.
  SipKey id_key_;

  mutable Mutex mutex_;
  Condition changed_;
  Segments segments_ GUARDED_BY(mutex_);
  std::vector<Part> tail_ GUARDED_BY(mutex_);         ///< Behind the segments, by offset.
  std::size_t sealing_parts_ GUARDED_BY(mutex_) = 0;  ///< The first so many are being sealed.
  std::shared_ptr<RecentDocs> recent_ GUARDED_BY(mutex_);
  journal::Offset recent_first_ GUARDED_BY(mutex_){0};
  journal::Offset applied_end_ GUARDED_BY(mutex_){0};
  TailIds ids_ GUARDED_BY(mutex_);  ///< Of what is not sealed.
  std::uint64_t seals_ GUARDED_BY(mutex_) = 0;
  /// No segment had them since the last seal: whoever asks before an append need not ask twice.
  mutable IdHashes known_absent_ GUARDED_BY(mutex_);
  mutable std::set<journal::Offset> damaged_ GUARDED_BY(mutex_);  ///< Segments, by their first.
  std::optional<Timestamp> expire_ GUARDED_BY(mutex_);
  bool merge_due_ GUARDED_BY(mutex_) = true;
  bool working_ GUARDED_BY(mutex_) = false;
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::optional<Error> failure_ GUARDED_BY(mutex_);

  /// Held while a segment is read for it: others that need it wait instead of reading it, too.
  mutable Mutex rescue_mutex_;
  mutable std::map<std::shared_ptr<const SegmentFile>, std::shared_ptr<const RescuedIds>> rescued_
      GUARDED_BY(rescue_mutex_);
  std::thread sealer_;
};

}  // namespace opentrail::history
