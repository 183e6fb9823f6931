#include "base/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

namespace opentrail::metrics {
namespace {

prometheus::Registry& registry() {
  static prometheus::Registry made(prometheus::Registry::InsertBehavior::Merge);
  return made;
}

}  // namespace

void Counter::add(double amount) const {
  static_cast<prometheus::Counter*>(impl_)->Increment(amount);
}

void Gauge::set(double value) const { static_cast<prometheus::Gauge*>(impl_)->Set(value); }

Counter counter(const std::string& name, const std::string& help, const Labels& labels) {
  return Counter(
      &prometheus::BuildCounter().Name(name).Help(help).Register(registry()).Add(labels));
}

Gauge gauge(const std::string& name, const std::string& help, const Labels& labels) {
  return Gauge(&prometheus::BuildGauge().Name(name).Help(help).Register(registry()).Add(labels));
}

std::string render() { return prometheus::TextSerializer().Serialize(registry().Collect()); }

}  // namespace opentrail::metrics
