#pragma once
#include "objects/embedded_store.h"
#include "objects/object_index.h"

namespace opentrail::objects {

inline constexpr std::size_t kListKeysMax = 1000;  ///< S3's own bound of a page.

/// One page of a listing in byte order; keys that share what stands between the prefix and the
/// first delimiter are rolled up into one common prefix. A page costs rows for what it shows, not
/// for what it rolls up. Internal to objects; the bucket is not checked.
Result<ListPage> list_objects(ObjectIndex& index, const ListQuery& query);

}  // namespace opentrail::objects
