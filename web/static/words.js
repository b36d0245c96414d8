// The words of the live page, as JSON behind a keyword: web/wording.py reads this file too,
// so that a page says the same whether the server or the script wrote it.
export default {
  "headings": {
    "pending": "Question Generation Queued",
    "processing": "Generating Questions",
    "paused": "Question Generation Paused",
    "completed": "Question Generation Success",
    "partial": "Partial Question Generation Success",
    "failed": "Question Generation Failed",
    "cancelled": "Question Generation Cancelled"
  },
  "states": {
    "pending": "Queued",
    "processing": "Running",
    "paused": "Paused",
    "completed": "Complete",
    "partial": "Partial",
    "failed": "Failed",
    "cancelled": "Cancelled"
  },
  "batches": {
    "pending": "Waiting",
    "processing": "Generating",
    "completed": "Saved",
    "failed": "Failed",
    "cancelled": "Cancelled"
  },
  "actions": {
    "pending": {"pause": "Pause", "cancel": "Cancel Generation"},
    "processing": {"pause": "Pause", "cancel": "Cancel Generation"},
    "paused": {"resume": "Resume Generation", "cancel": "Cancel Generation"},
    "completed": {},
    "partial": {"retry": "Retry Failed Batches"},
    "failed": {"retry": "Retry Question Generation"},
    "cancelled": {}
  },
  "safe": "Only failed batches will be regenerated. Your existing questions are safe.",
  "limit": "New cost limit in US dollars",
  "connections": {
    "connecting": "connecting...",
    "live": "live",
    "reconnecting": "reconnecting...",
    "ended": "up to date"
  }
};
