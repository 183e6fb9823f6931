#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

/// Substring search over record bytes, for needles that are used many times.
namespace opentrail::search {

/// Looks 16 or 32 places at a time (SSE2; AVX2 where the processor has it, found out once at run
/// time) for the needle's two bytes that are rarest in audit records, and compares the rest only
/// where both are there: the generic SIMD algorithm of W. Mula, "SIMD-friendly algorithms for
/// substring searching", with chosen bytes instead of the first and the last. The worst case, a
/// text made to hit both bytes everywhere, costs the product of the lengths. Immutable: any thread.
class TextFinder {
 public:
  enum class Case : std::uint8_t {
    Exact,
    Ignore,  ///< A-Z as a-z; other characters, ASCII or not, are compared as they are.
  };

  explicit TextFinder(std::string_view needle, Case letters = Case::Exact);

  /// Where the needle begins first, or npos. An empty needle is found at 0.
  [[nodiscard]] std::size_t find(std::string_view haystack) const;
  [[nodiscard]] bool is_in(std::string_view haystack) const {
    return find(haystack) != std::string_view::npos;
  }

  /// The same without AVX2, for tests and measurements.
  [[nodiscard]] std::size_t find_sse2(std::string_view haystack) const;

  /// Two bytes of the needle: where they stand, what they are, and the bit to ignore (0x20 for a
  /// letter of either case). Public for the kernels alone.
  struct Probe {
    std::size_t at = 0;
    unsigned char byte = 0;
    unsigned char fold = 0;
  };

 private:
  [[nodiscard]] bool equals_at(const char* place) const;
  [[nodiscard]] std::size_t find_short(std::string_view haystack) const;
  template <typename Kernel>
  [[nodiscard]] std::size_t find_with(std::string_view haystack, std::size_t width,
                                      Kernel kernel) const;

  std::string needle_;  ///< Lower case when case is ignored.
  std::string fold_;    ///< For each byte the bit to ignore; empty when case counts.
  std::array<Probe, 2> probes_;
};

}  // namespace opentrail::search
