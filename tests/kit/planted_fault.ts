/**
 * The command `simulate` with a fault in the chat: a line is given twice to an outbox that has
 * something to send.
 *
 * @module
 */

import { Outbox } from "../../chat/host/outbox.ts";
import { program } from "../../lab/simulate.ts";

const { hear } = Outbox.prototype;

Outbox.prototype.hear = function (this: Outbox, line, isForFew): void {
  const isSecond = this.isDue;
  hear.call(this, line, isForFew);
  if (isSecond) hear.call(this, line, isForFew);
};

program().run();
