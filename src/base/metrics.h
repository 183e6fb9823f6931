#pragma once
#include <initializer_list>
#include <map>
#include <string>
#include <vector>

/// Process metrics in Prometheus' text format. Names: opentrail_<noun>_<unit>[_total].
namespace opentrail::metrics {

using Labels = std::map<std::string, std::string>;

class Counter {
 public:
  explicit Counter(void* impl) : impl_(impl) {}
  void add(double amount = 1) const;

 private:
  void* impl_;
};

class Gauge {
 public:
  explicit Gauge(void* impl) : impl_(impl) {}
  void set(double value) const;

 private:
  void* impl_;
};

/// How often something took how long, in buckets.
class Histogram {
 public:
  explicit Histogram(void* impl) : impl_(impl) {}
  void observe(double value) const;

 private:
  void* impl_;
};

/// Registers on first use; the same name and labels give the same series. Keep the handle where it
/// is hot. Label values come from closed sets only: a client must not be able to make new series.
[[nodiscard]] Counter counter(const std::string& name, const std::string& help,
                              const Labels& labels = {});
[[nodiscard]] Gauge gauge(const std::string& name, const std::string& help,
                          const Labels& labels = {});
/// `bounds`: upper bounds of the buckets, rising; what is larger has a bucket of its own.
[[nodiscard]] Histogram histogram(const std::string& name, const std::string& help,
                                  const std::vector<double>& bounds, const Labels& labels = {});
/// The whole registry as text/plain; version=0.0.4.
[[nodiscard]] std::string render();

}  // namespace opentrail::metrics
