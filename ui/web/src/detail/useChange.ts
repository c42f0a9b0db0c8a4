// What changed of an edge, when two ranges are compared.

import type { Schemas } from "../api/client";
import { usePage } from "../app/page";
import { changeKey } from "../map/useScene";

export function useChange(key: string | null): Schemas["Change"] | undefined {
  const { changes } = usePage();
  return key === null ? undefined : changes?.changes.find((change) => changeKey(change) === key);
}
