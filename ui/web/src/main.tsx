// Starts the page: the token becomes a cookie, then the questions begin.

import { QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { openSession, takeToken } from "./api/client";
import { listen } from "./api/live";
import { questions } from "./api/questions";
import { App } from "./app/App";
import { Locked } from "./app/Locked";
import { startTheme } from "./app/theme";
import "./styles/tokens.css";
import "./styles/page.css";
import "./styles/table.css";
import "./styles/detail.css";
import "./styles/map.css";

takeToken();
startTheme();
const root = createRoot(document.getElementById("root")!);

openSession().then(
  () => {
    listen(() => questions.isFetching() > 0);
    root.render(
      <StrictMode>
        <QueryClientProvider client={questions}>
          <App />
        </QueryClientProvider>
      </StrictMode>,
    );
  },
  (error: Error) => root.render(<Locked message={error.message} />),
);
