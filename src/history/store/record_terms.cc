#include "history/store/record_terms.h"

#include "base/log.h"

namespace opentrail::history {

record::Terms terms_of(const record::Record& record) {
  if (!record.terms.empty()) {
    return record.terms;
  }
  record::Terms terms;
  using record::Field;
  terms.add(Field::AccountId, record.account_id);
  terms.add(Field::Region, record.region);
  terms.add(Field::EventCategory, record::to_string(record.category));
  const auto parsed = record::parse_record(record.json, record.origin, record.event_time);
  if (!parsed) {
    log::warn("history: a record can be listed but not searched for: {}", parsed.error().message());
    return terms;
  }
  for (const record::Terms::Term term : parsed->terms) {
    if (term.field != Field::AccountId && term.field != Field::Region &&
        term.field != Field::EventCategory) {
      terms.add(term.field, term.value);
    }
  }
  return terms;
}

void complete_terms(record::Record& record) {
  if (record.terms.empty()) {
    record.terms = terms_of(record);
  }
}

}  // namespace opentrail::history
