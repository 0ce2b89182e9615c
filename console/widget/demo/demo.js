// What a shop's page does with the chat: a button of its own that opens it. The rest is shop.

const bag = document.querySelector(".bag b");
let bought = 0;

for (const button of document.querySelectorAll("[data-buy]")) {
  button.addEventListener("click", () => {
    bought += 1;
    bag.textContent = String(bought);
  });
}

for (const button of document.querySelectorAll("[data-chat]")) {
  button.addEventListener("click", () => window.ramal?.("open"));
}
