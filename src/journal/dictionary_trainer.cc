#include "journal/dictionary_trainer.h"

#include "base/log.h"

#include <chrono>
#include <string_view>

namespace opentrail::journal {
namespace {

Result<std::shared_ptr<const Dictionary>> train(const std::vector<RecordRun>& samples) {
  std::vector<std::string_view> jsons;
  for (const RecordRun& run : samples) {
    for (const record::Record& record : *run.records) {
      jsons.emplace_back(record.json);
    }
  }
  return Dictionary::train(jsons);
}

}  // namespace

bool DictionaryTrainer::appended(std::size_t bytes) {
  appended_bytes_ += bytes;
  return wanted_bytes_ > 0 && appended_bytes_ >= wanted_bytes_ && !running_.valid();
}

void DictionaryTrainer::start(std::vector<RecordRun> samples) {
  running_ =
      std::async(std::launch::async, [samples = std::move(samples)] { return train(samples); });
}

std::shared_ptr<const Dictionary> DictionaryTrainer::take() {
  if (!running_.valid() ||
      running_.wait_for(std::chrono::seconds(0)) != std::future_status::ready) {
    return nullptr;
  }
  auto trained = running_.get();
  if (!trained) {
    wanted_bytes_ *= 2;
    appended_bytes_ = 0;
    log::debug("journal: {}; to be tried again with twice as many", trained.error().message());
    return nullptr;
  }
  return *std::move(trained);
}

}  // namespace opentrail::journal
