#include "bench/record_generator.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace opentrail::bench {

Result<RecordGenerator> RecordGenerator::make(std::span<const std::string> templates,
                                              const GeneratorOptions& options) {
  if (templates.empty()) {
    return fail(ErrorCode::InvalidArgument, "there are no templates to make records from");
  }
  std::vector<CompiledTemplate> compiled;
  compiled.reserve(templates.size());
  PoolNumbers pools;
  for (const std::string& json : templates) {
    auto made = compile_template(json, pools);
    if (!made) {
      return std::unexpected(
          std::move(made).error().while_doing(fmt::format("template {}", compiled.size() + 1)));
    }
    compiled.push_back(*std::move(made));
  }
  return RecordGenerator(std::move(compiled), pools.size(), options);
}

RecordGenerator::RecordGenerator(std::vector<CompiledTemplate> templates, std::size_t pools,
                                 const GeneratorOptions& options)
    : templates_(std::move(templates)),
      options_(options),
      keys_a_user_(
          std::max<std::size_t>(1, options.keys / std::max<std::size_t>(1, options.users))),
      values_(options.seed, options.users, options.accounts),
      users_(options.users, options.zipf_exponent),
      keys_(options.keys, options.zipf_exponent),
      addresses_(options.addresses, options.zipf_exponent),
      resources_(options.resources / std::max<std::size_t>(1, pools), options.zipf_exponent),
      accounts_(options.accounts, options.zipf_exponent),
      draws_(options.seed),
      time_(options.first_time) {
  std::size_t slots_max = 0;
  for (const CompiledTemplate& made : templates_) {
    slots_max = std::max(slots_max, made.slots.size());
  }
  slot_values_.resize(slots_max);
}

void RecordGenerator::begin_session() {
  // Most calls of a user come from one place.
  constexpr std::uint64_t kAwayOneIn = 5;
  session_.next_template = below(templates_.size(), draws_.next());
  session_.records_left =
      1 + below(2 * std::max<std::size_t>(1, options_.session_records_mean) - 1, draws_.next());
  session_.user = users_.pick(draws_.next());
  session_.key = session_.user * keys_a_user_ + below(keys_a_user_, draws_.next());
  session_.account = accounts_.pick(draws_.next());
  const std::uint64_t away = draws_.next();
  session_.address = below(kAwayOneIn, away) == 0
                         ? addresses_.pick(scatter(away))
                         : static_cast<std::size_t>(scatter(session_.user) % addresses_.size());
}

std::uint64_t RecordGenerator::value_for(const Slot& slot) {
  switch (slot.kind) {
    case SlotKind::Uuid:
    case SlotKind::Token:
      return draws_.next();
    case SlotKind::Time:
      return static_cast<std::uint64_t>(
          std::chrono::floor<std::chrono::milliseconds>(time_).time_since_epoch().count());
    case SlotKind::Account:
    case SlotKind::CallerRole:
      return session_.account;
    case SlotKind::CallerName:
    case SlotKind::CallerPrincipal:
      return session_.user;
    case SlotKind::CallerKey:
      return session_.key;
    case SlotKind::SourceAddress:
      return session_.address;
    case SlotKind::OtherName:
    case SlotKind::OtherPrincipal:
      return users_.pick(draws_.next());
    case SlotKind::OtherKey:
      return keys_.pick(draws_.next());
    case SlotKind::PrivateAddress:
      return addresses_.pick(draws_.next());
    case SlotKind::ResourceId:
    case SlotKind::ResourceName:
      return resources_.pick(draws_.next());
  }
  std::unreachable();
}

void RecordGenerator::append(std::string& out, const Pattern& pattern) const {
  const char* literal = pattern.literals.data();
  for (const Pattern::Piece& piece : pattern.pieces) {
    out.append(literal, piece.literal_bytes);
    literal += piece.literal_bytes;
    if (piece.slot != Pattern::kNoSlot) {
      values_.append(out, current_->slots[piece.slot], slot_values_[piece.slot]);
    }
  }
}

void RecordGenerator::set(std::string& out, const Pattern& pattern) const {
  out.clear();
  append(out, pattern);
}

void RecordGenerator::next(std::string& out) {
  if (session_.records_left == 0) {
    begin_session();
  }
  --session_.records_left;
  current_ = &templates_[session_.next_template];
  session_.next_template = (session_.next_template + 1) % templates_.size();
  const auto gap =
      below(2 * static_cast<std::size_t>(options_.gap_mean.count()) + 1, draws_.next());
  time_ += std::chrono::microseconds(gap);
  for (std::size_t i = 0; i < current_->slots.size(); ++i) {
    slot_values_[i] = value_for(current_->slots[i]);
  }
  append(out, current_->json);
  ++records_;
}

void RecordGenerator::describe(RecordFacts& facts) const {
  OT_CHECK(current_ != nullptr);
  set(facts.event_id, current_->event_id);
  set(facts.username, current_->username);
  set(facts.access_key_id, current_->access_key_id);
  set(facts.resource_name, current_->resource_name);
  set(facts.account, current_->account);
  facts.event_name = current_->event_name;
  facts.event_source = current_->event_source;
  facts.read_only = current_->read_only;
  facts.resource_type = current_->resource_type;
  facts.region = current_->region;
  facts.category = current_->category;
  // Records carry whole seconds.
  facts.time = std::chrono::floor<std::chrono::seconds>(time_);
}

double RecordGenerator::template_bytes_mean() const {
  std::uint64_t bytes = 0;
  for (const CompiledTemplate& made : templates_) {
    bytes += made.bytes;
  }
  return static_cast<double>(bytes) / static_cast<double>(templates_.size());
}

}  // namespace opentrail::bench
