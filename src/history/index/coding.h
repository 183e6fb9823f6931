#pragma once
#include <bit>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

/// Numbers as bytes: little-endian, and variable length (7 bits a byte, the lowest first).
namespace opentrail::history {

static_assert(std::endian::native == std::endian::little);

template <std::integral T>
void put(std::string& out, T number) {
  char bytes[sizeof(T)];
  std::memcpy(bytes, &number, sizeof(T));
  out.append(bytes, sizeof(T));
}

inline void put_varint(std::string& out, std::uint64_t number) {
  constexpr std::uint64_t kMore = 0x80;
  while (number >= kMore) {
    out.push_back(static_cast<char>(number | kMore));
    number >>= 7;
  }
  out.push_back(static_cast<char>(number));
}

/// Takes numbers and text off the front of foreign bytes; once something is missing or too long it
/// stays failed and gives zeros.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : rest_(bytes) {}

  template <std::integral T>
  T number() {
    T number{};
    if (const std::string_view bytes = text(sizeof(T)); !bytes.empty()) {
      std::memcpy(&number, bytes.data(), bytes.size());
    }
    return number;
  }
  std::uint64_t varint() {
    constexpr unsigned kShiftMax = 63;
    std::uint64_t number = 0;
    for (unsigned shift = 0; shift <= kShiftMax && !rest_.empty(); shift += 7) {
      const auto byte = static_cast<unsigned char>(rest_.front());
      rest_.remove_prefix(1);
      number |= std::uint64_t{byte & 0x7FU} << shift;
      if (byte < 0x80) {
        return number;
      }
    }
    return give_up(), 0;
  }
  /// For counts and lengths, which are bounded by what is there: fails beyond `max`.
  std::uint64_t varint_up_to(std::uint64_t max) {
    const std::uint64_t number = varint();
    return number <= max ? number : (give_up(), 0);
  }
  std::string_view text(std::uint64_t bytes) {
    if (bytes > rest_.size()) {
      give_up();
      return {};
    }
    const std::string_view taken = rest_.substr(0, bytes);
    rest_.remove_prefix(bytes);
    return taken;
  }
  [[nodiscard]] std::string_view rest() const { return rest_; }
  [[nodiscard]] bool failed() const { return failed_; }
  [[nodiscard]] bool at_end() const { return rest_.empty(); }
  void give_up() {
    failed_ = true;
    rest_ = {};
  }

 private:
  std::string_view rest_;
  bool failed_ = false;
};

}  // namespace opentrail::history
