// The list of walls, for a screen whose wall is not chosen yet. The gateway writes it; this looks after it.

import { call } from "../people/session.js";
import { enter, isShut, look, takeToken } from "./wall_door.js";

const AGAIN_MS = 30000; // a wall may have been named anew

takeToken(() => location.reload());
if (isShut()) look();
else enter();

setInterval(async () => {
  if (isShut()) return; // it is looked after there
  const [status] = await call("GET", "api/session");
  if (status === 200 || status === 204) location.reload(); // while the gateway is away the list stays
  else if (status === 401) look();
}, AGAIN_MS);
