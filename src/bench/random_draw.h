#pragma once
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <vector>

/// Random numbers that are cheap enough for a few dozen a record.
namespace opentrail::bench {

/// A bijection that scatters its argument's bits (SplitMix64's finaliser).
[[nodiscard]] constexpr std::uint64_t scatter(std::uint64_t x) {
  x = (x ^ (x >> 30U)) * 0xbf58476d1ce4e5b9U;
  x = (x ^ (x >> 27U)) * 0x94d049bb133111ebU;
  return x ^ (x >> 31U);
}

/// SplitMix64: no number comes twice in 2^64 draws, so neither does an id made of one.
class Draws {
 public:
  explicit Draws(std::uint64_t seed) : state_(scatter(seed)) {}
  std::uint64_t next() { return scatter(state_ += 0x9e3779b97f4a7c15U); }

 private:
  std::uint64_t state_;
};

/// `draw` as an even number below `bound`.
[[nodiscard]] constexpr std::size_t below(std::size_t bound, std::uint64_t draw) {
  return static_cast<std::size_t>((static_cast<unsigned __int128>(draw) * bound) >> 64U);
}

/// Numbers 0 .. count-1, of which number k comes in proportion to 1 / (k+1)^exponent: what the
/// users, keys and buckets of a real account look like. Walker's alias method: one draw, one look.
class Zipf {
 public:
  Zipf(std::size_t count, double exponent) : cells_(count == 0 ? 1 : count) {
    const std::size_t size = cells_.size();
    std::vector<double> share(size);
    for (std::size_t k = 0; k < size; ++k) {
      share[k] = std::pow(static_cast<double>(k + 1), -exponent);
    }
    const double scale =
        static_cast<double>(size) / std::accumulate(share.begin(), share.end(), 0.0);
    std::vector<std::size_t> small;
    std::vector<std::size_t> large;
    for (std::size_t k = 0; k < size; ++k) {
      share[k] *= scale;
      (share[k] < 1.0 ? small : large).push_back(k);
    }
    while (!small.empty() && !large.empty()) {
      const std::size_t poor = small.back();
      const std::size_t rich = large.back();
      small.pop_back();
      cells_[poor] = {.keep = to_threshold(share[poor]), .other = static_cast<std::uint32_t>(rich)};
      share[rich] -= 1.0 - share[poor];
      if (share[rich] < 1.0) {
        large.pop_back();
        small.push_back(rich);
      }
    }
    // What is left has a full share, but for rounding.
    small.insert(small.end(), large.begin(), large.end());
    for (const std::size_t k : small) {
      cells_[k] = {.keep = UINT32_MAX, .other = static_cast<std::uint32_t>(k)};
    }
  }

  [[nodiscard]] std::size_t pick(std::uint64_t draw) const {
    const std::size_t k = below(cells_.size(), draw);
    const Cell& cell = cells_[k];
    // The low bits are as good as independent of the high ones that chose k.
    return static_cast<std::uint32_t>(draw) <= cell.keep ? k : cell.other;
  }
  [[nodiscard]] std::size_t size() const { return cells_.size(); }

 private:
  struct Cell {
    std::uint32_t keep;
    std::uint32_t other;
  };
  static std::uint32_t to_threshold(double share) {
    return static_cast<std::uint32_t>(share * static_cast<double>(UINT32_MAX));
  }

  std::vector<Cell> cells_;
};

}  // namespace opentrail::bench
