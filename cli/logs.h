#pragma once
// `tailrace logs`: what `heroku logs` does, over the session API.

namespace tailrace {

int run_logs(int argc, char** argv);

}  // namespace tailrace
