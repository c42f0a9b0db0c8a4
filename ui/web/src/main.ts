// Begins with what takes longest: the token becomes a cookie, the map is asked for, and the page's code is loaded meanwhile.

import { askAhead, openSession, takeToken } from "./api/client";
import { startTheme } from "./app/theme";
import { view } from "./state/store";
import "./styles/tokens.css";
import "./styles/page.css";
import "./styles/table.css";
import "./styles/detail.css";
import "./styles/map.css";

takeToken();
startTheme();
const session = openSession();
const { where, level, start, end, last, compare } = view();
if (last === null && !compare) askAhead("/map", { where, level, start, end });
askAhead("/summary", {});
askAhead("/health", {});
void import("./map/MapPane");
void import("./app/start").then(({ begin }) => begin(document.getElementById("root")!, session));
