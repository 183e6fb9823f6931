#pragma once
#include "aws/model/recognise.h"
#include "aws/recorded/style.h"

/// Parameters of the Query and EC2 protocols: "Tags.member.1.Key=a" (spec records §1.5). Pure.
namespace opentrail::aws::recorded {

/// A form's parameters in the shape of the call's input.
[[nodiscard]] json::value from_form(const model::NamedValues& form, const model::Shape& shape,
                                    Writing& writing);

}  // namespace opentrail::aws::recorded
