#pragma once
#include "objects/embedded_store.h"
#include "objects/store_parts.h"

#include <memory>
#include <string>

namespace opentrail::objects {

/// Opens what `key` names now; its bytes stay readable to the end, whatever happens to the key.
/// Internal to objects.
Result<std::unique_ptr<ObjectReader>> open_reader(std::shared_ptr<StoreParts> parts,
                                                  const std::string& bucket,
                                                  const std::string& key);

}  // namespace opentrail::objects
