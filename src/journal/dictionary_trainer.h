#pragma once
#include "journal/dictionary.h"
#include "journal/journal.h"

#include <cstddef>
#include <future>
#include <memory>
#include <optional>
#include <vector>

namespace opentrail::journal {

/// Trains a journal's first dictionary on a thread of its own. One owner.
class DictionaryTrainer {
 public:
  /// Training begins once `sample_bytes` were appended; 0: never.
  explicit DictionaryTrainer(std::size_t sample_bytes) : wanted_bytes_(sample_bytes) {}

  /// Notes what was appended; true when training should start.
  [[nodiscard]] bool appended(std::size_t bytes);
  [[nodiscard]] std::size_t wanted_bytes() const { return wanted_bytes_; }
  void start(std::vector<RecordRun> samples);
  /// The dictionary, once, when it is ready. Too few samples make it wait for twice as many.
  [[nodiscard]] std::shared_ptr<const Dictionary> take();

 private:
  std::size_t wanted_bytes_;
  std::size_t appended_bytes_ = 0;
  std::future<Result<std::shared_ptr<const Dictionary>>> running_;  ///< Its end is waited for.
};

}  // namespace opentrail::journal
