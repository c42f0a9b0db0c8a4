// Draws the page, and listens for what comes once the session is open.

import { QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { listen } from "../api/live";
import { questions } from "../api/questions";
import { App } from "./App";
import { Locked } from "./Locked";

export function begin(element: HTMLElement, session: Promise<void>): void {
  const root = createRoot(element);
  session.then(
    () => listen(() => questions.isFetching() > 0),
    (error: Error) => root.render(<Locked message={error.message} />),
  );
  root.render(
    <StrictMode>
      <QueryClientProvider client={questions}>
        <App />
      </QueryClientProvider>
    </StrictMode>,
  );
}
