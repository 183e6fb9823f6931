#pragma once
#include "base/time.h"
#include "bench/random_draw.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// The made-up values that stand in a template's slots.
namespace opentrail::bench {

enum class SlotKind : std::uint8_t {
  Uuid,             ///< Fresh.
  Token,            ///< Fresh: a request id or session token that is not a UUID.
  Time,             ///< Moves with the record's time.
  Account,          ///< The session's account, or one beside it.
  CallerName,       ///< The session's user.
  CallerKey,        ///< The session's access key.
  CallerPrincipal,  ///< The unique id that belongs to the session's user.
  CallerRole,       ///< The unique id of a role: one for each account.
  SourceAddress,    ///< The session's address.
  OtherName,        ///< Any user's: someone who is acted on.
  OtherKey,
  OtherPrincipal,
  PrivateAddress,  ///< 10.x.y.z.
  ResourceId,      ///< "i-0a1b...", by its prefix.
  ResourceName,    ///< A bucket, table or function, by the beginning of its name.
};

enum class TimeForm : std::uint8_t { IsoSeconds, IsoMillis, RecordStyle };
enum class TokenForm : std::uint8_t { HexLower, UpperDigits, Base64 };

/// One place of a template whose value changes; all places of equal text share one slot.
struct Slot {
  SlotKind kind = SlotKind::Uuid;
  TimeForm time_form = TimeForm::IsoSeconds;
  TokenForm token_form = TokenForm::Base64;
  std::uint32_t length = 0;        ///< Of tokens, principals and resource ids, without the prefix.
  std::uint32_t account_step = 0;  ///< How far behind the session's account.
  std::uint32_t pool = 0;          ///< Which resources: equal prefixes share a pool.
  std::int64_t delta_millis = 0;   ///< From the record's time.
  std::string prefix = {};         ///< "AKIA", "i-", "invoice-".
};

/// Values by number. Every one is a function of its number alone, so nothing is kept but the names.
class ValuePools {
 public:
  ValuePools(std::uint64_t seed, std::size_t users, std::size_t accounts);

  /// Appends the value of `slot` for `value`, which is a draw (Uuid, Token), a number in a pool, or
  /// the time in milliseconds since 1970.
  void append(std::string& out, const Slot& slot, std::uint64_t value) const;

  [[nodiscard]] const std::string& account(std::size_t number) const {
    return accounts_[number % accounts_.size()];
  }
  [[nodiscard]] const std::string& user_name(std::size_t number) const {
    return names_[number % names_.size()];
  }

 private:
  std::uint64_t salt_;
  std::vector<std::string> names_;
  std::vector<std::string> accounts_;
};

}  // namespace opentrail::bench
