#pragma once
#include "base/time.h"
#include "journal/journal.h"

namespace opentrail::history {

/// What still counts. Anything older, or no longer on the journal, is treated as absent at once and
/// forgotten later.
struct Kept {
  Timestamp oldest;       ///< By event time.
  journal::Offset first;  ///< The journal begins here.
};

}  // namespace opentrail::history
