#pragma once
// Severities and facilities by name, as syslog(3) has them.

#include <array>
#include <string_view>

namespace tailrace {

inline constexpr std::array<std::string_view, 8> kSeverityNames{"emerg",   "alert",  "crit", "err",
                                                                "warning", "notice", "info", "debug"};
inline constexpr std::array<std::string_view, 24> kFacilityNames{
    "kern",   "user",   "mail",     "daemon", "auth",   "syslog",   "lpr",     "news",
    "uucp",   "cron",   "authpriv", "ftp",    "ntp",    "security", "console", "clock",
    "local0", "local1", "local2",   "local3", "local4", "local5",   "local6",  "local7"};

}  // namespace tailrace
