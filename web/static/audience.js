// What the tabs of this browser watch, as they told the one that leads: tab -> generation -> the last event it has seen.

const CALLS_MISSED_MAX = 3;
// More is not followed over one connection; the service refuses it.
const FOLLOWED_MAX = 100;

export class Audience {
  #tabs = new Map();

  hear(tab, watched) {
    this.#tabs.set(tab, { watched: new Map(watched), missed: 0 });
  }

  leave(tab) {
    this.#tabs.delete(tab);
  }

  // Every tab answers a call. One that missed several is gone without having said so.
  call() {
    for (const [name, tab] of this.#tabs) {
      tab.missed += 1;
      if (tab.missed > CALLS_MISSED_MAX) this.#tabs.delete(name);
    }
  }

  // A log has ended. Who knows that it goes on says so again.
  ended(generation) {
    for (const { watched } of this.#tabs.values()) watched.delete(generation);
  }

  // Generation -> from where on: the tab that has seen least decides. Tabs that watch few come first where not all fit.
  get union() {
    const union = new Map();
    const tabs = Array.from(this.#tabs.values()).sort((one, other) => one.watched.size - other.watched.size);
    for (const { watched } of tabs) {
      for (const [generation, seq] of watched) {
        if (!union.has(generation) && union.size === FOLLOWED_MAX) continue;
        union.set(generation, Math.min(seq, union.get(generation) ?? Infinity));
      }
    }
    return union;
  }
}
