#include "collect/uploads.h"

#include "collect/signed_client.h"

#include <algorithm>
#include <string>
#include <utility>

namespace opentrail::collect {

Uploads::Uploads(std::vector<Upload> connections, const std::atomic<bool>* stop)
    : connections_(std::move(connections)), stop_(stop) {
  threads_.reserve(connections_.size());
  for (const Upload& upload : connections_) {
    threads_.emplace_back([this, &upload] { run(upload); });
  }
}

Uploads::~Uploads() {
  {
    const MutexLock lock(mutex_);
    ending_ = true;
    changed_.notify_all();
  }
  for (std::thread& thread : threads_) {
    thread.join();
  }
}

bool Uploads::has_room_for(const Batch& batch) const {
  const MutexLock lock(mutex_);
  return slots_.size() <= connections_.size() &&
         std::ranges::none_of(slots_,
                              [&](const auto& slot) { return slot->batch.may_share_ids(batch); });
}

void Uploads::send(Batch batch) {
  static_cast<void>(batch.close());
  const MutexLock lock(mutex_);
  slots_.push_back(
      std::make_unique<Slot>(Slot{.batch = std::move(batch), .sending = false, .reply = {}}));
  changed_.notify_all();
}

std::optional<Uploads::Answered> Uploads::take_answered() {
  Slot& slot = *slots_.front();
  Answered answered{.batch = std::move(slot.batch), .reply = *std::move(slot.reply)};
  slots_.pop_front();
  return answered;
}

std::optional<Uploads::Answered> Uploads::next() {
  const MutexLock lock(mutex_);
  if (slots_.empty() || !slots_.front()->reply) {
    return std::nullopt;
  }
  return take_answered();
}

std::optional<Uploads::Answered> Uploads::wait_next() {
  const MutexLock lock(mutex_);
  if (slots_.empty()) {
    return std::nullopt;
  }
  while (!slots_.front()->reply) {
    changed_.wait(mutex_);
  }
  return take_answered();
}

Uploads::Slot* Uploads::first_waiting() const {
  const auto slot =
      std::ranges::find_if(slots_, [](const auto& one) { return !one->sending && !one->reply; });
  return slot == slots_.end() ? nullptr : slot->get();
}

bool Uploads::ends() const { return failed_ || ending_ || (stop_ != nullptr && stop_->load()); }

/// The next batch to be sent; null at the end. The slot stays while it has no reply.
Uploads::Slot* Uploads::take_slot() {
  const MutexLock lock(mutex_);
  for (;;) {
    Slot* slot = first_waiting();
    if (slot != nullptr && ends()) {
      slot->reply = fail(ErrorCode::Unavailable, "interrupted", std::string(kInterrupted));
      changed_.notify_all();
    } else if (slot != nullptr) {
      slot->sending = true;
      return slot;
    } else if (ending_) {
      return nullptr;
    } else {
      changed_.wait(mutex_);
    }
  }
}

void Uploads::run(const Upload& upload) {
  while (Slot* slot = take_slot()) {
    auto reply = upload(slot->batch.close());
    const MutexLock lock(mutex_);
    failed_ = failed_ || !reply;
    slot->reply = std::move(reply);
    changed_.notify_all();
  }
}

}  // namespace opentrail::collect
