#include "delivery/gzip_member.h"

#include "base/error.h"

#include <algorithm>
#include <array>
#include <limits>
#include <memory>
#include <vector>

#include <isa-l/igzip_lib.h>

namespace opentrail::delivery {

std::string gzip_member(std::string_view bytes) {
  OT_CHECK(bytes.size() <= std::numeric_limits<std::uint32_t>::max());
  constexpr std::size_t kStep = 256 << 10;
  const auto stream = std::make_unique<isal_zstream>();
  std::vector<std::uint8_t> level_buffer(ISAL_DEF_LVL1_DEFAULT);
  isal_deflate_init(stream.get());
  stream->level = 1;
  stream->level_buf = level_buffer.data();
  stream->level_buf_size = static_cast<std::uint32_t>(level_buffer.size());
  stream->gzip_flag = IGZIP_GZIP;
  stream->end_of_stream = 1;
  stream->flush = NO_FLUSH;
  std::string in(bytes);  // ISA-L's input pointer is not const
  stream->next_in = reinterpret_cast<std::uint8_t*>(in.data());
  stream->avail_in = static_cast<std::uint32_t>(in.size());
  std::string out;
  do {
    const std::size_t used = out.size();
    out.resize(used + kStep);
    stream->next_out = reinterpret_cast<std::uint8_t*>(out.data() + used);
    stream->avail_out = static_cast<std::uint32_t>(kStep);
    OT_CHECK(isal_deflate(stream.get()) == COMP_OK);
    out.resize(out.size() - stream->avail_out);
  } while (stream->internal_state.state != ZSTATE_END);
  return out;
}

}  // namespace opentrail::delivery
