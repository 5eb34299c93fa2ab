#pragma once
// `tailrace sink`: a Sink with a schedule and a report.

namespace tailrace {

int run_sink(int argc, char** argv);

}  // namespace tailrace
