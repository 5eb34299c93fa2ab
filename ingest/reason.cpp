#include "ingest/reason.h"

#include <algorithm>

#include "base/text.h"

namespace tailrace {

std::string to_logfmt(const Rejections& rejections) {
  std::string text;
  for (size_t r = 0; r < kRejectReasons.size(); ++r) {
    if (!rejections.by_reason[r]) continue;
    if (!text.empty()) text += ' ';
    ((text += kRejectReasons[r]) += '=') += std::to_string(rejections.by_reason[r]);
  }
  return text;
}

Rejections rejections_of(std::string_view logfmt) {
  Rejections rejections;
  for_each_piece(logfmt, ' ', [&](std::string_view piece) {
    const size_t equals = std::min(piece.find('='), piece.size());
    const auto known = std::ranges::find(kRejectReasons, piece.substr(0, equals));
    const RejectReason reason = known == kRejectReasons.end() ? RejectReason::malformed
                                                              : RejectReason(known - kRejectReasons.begin());
    rejections.add(reason, parse_u64(piece.substr(std::min(equals + 1, piece.size()))).value_or(0));
  });
  return rejections;
}

}  // namespace tailrace
