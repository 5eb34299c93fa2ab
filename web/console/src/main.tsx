import { render } from "preact";
import "./style/tokens.css";
import "./style/base.css";
import { App } from "./app";
import { applyTheme } from "./ui/theme";

applyTheme();
render(<App />, document.getElementById("app")!);
