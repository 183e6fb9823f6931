#pragma once
#include "journal/journal.h"
#include "record/builder.h"
#include "services/service.h"

#include <functional>
#include <optional>

#include <boost/asio/awaitable.hpp>

namespace opentrail::server {

/// Puts calls on the record. A mutating call's record is durable before record() returns; that of a
/// read is accepted by the journal, in order, and durable with the next commit. When the journal's
/// queue is full it waits: nothing is dropped.
class Recorder {
 public:
  /// Says whether some trail selects this data event; others are not recorded.
  using WantsDataEvent = std::function<bool(const record::Record&)>;

  Recorder(journal::Journal& journal, WantsDataEvent wants_data_event);

  /// ByKind: as above. Never: no record's durability is waited for, its acceptance is.
  enum class Wait : std::uint8_t { ByKind, Never };

  /// The record's offset; absent for a data event that nobody selects. Errors: Unavailable when the
  /// journal cannot take it.
  boost::asio::awaitable<Result<std::optional<journal::Offset>>> record(
      const record::CallFacts& facts, Wait wait = Wait::ByKind);

 private:
  boost::asio::awaitable<Result<journal::Offset>> append_durably(record::Record record);
  boost::asio::awaitable<Result<journal::Offset>> append_soon(record::Record record);

  journal::Journal& journal_;
  WantsDataEvent wants_data_event_;
};

}  // namespace opentrail::server
