// Builds the page into dist/: served by the collector as it is, with nothing from elsewhere.
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

export default defineConfig({
  base: "./",
  plugins: [react()],
  build: {
    target: "es2022",
    // The page's content security policy has no `data:` for scripts and fonts: everything is a file.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  worker: { format: "es" },
  server: { proxy: { "/api": { target: process.env.TAPPER_URL ?? "http://127.0.0.1:8899" } } },
  test: { include: ["src/**/*.test.{ts,tsx}"], environment: "node", testTimeout: 60_000 },
});
