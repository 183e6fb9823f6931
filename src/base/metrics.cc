#include "base/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
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

void Histogram::observe(double value) const {
  static_cast<prometheus::Histogram*>(impl_)->Observe(value);
}

Counter counter(const std::string& name, const std::string& help, const Labels& labels) {
  return Counter(
      &prometheus::BuildCounter().Name(name).Help(help).Register(registry()).Add(labels));
}

Gauge gauge(const std::string& name, const std::string& help, const Labels& labels) {
  return Gauge(&prometheus::BuildGauge().Name(name).Help(help).Register(registry()).Add(labels));
}

Histogram histogram(const std::string& name, const std::string& help,
                    const std::vector<double>& bounds, const Labels& labels) {
  return Histogram(
      &prometheus::BuildHistogram().Name(name).Help(help).Register(registry()).Add(labels, bounds));
}

std::string render() { return prometheus::TextSerializer().Serialize(registry().Collect()); }

}  // namespace opentrail::metrics
