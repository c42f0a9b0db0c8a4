// dagre in a thread of its own: a second of layout is no second without answers to the mouse.

import { type Outline, seed } from "./seed";

addEventListener("message", ({ data }: MessageEvent<Outline>) => postMessage(seed(data)));
