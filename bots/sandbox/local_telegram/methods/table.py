"""All methods by their names, which are the same in capitals."""

from collections.abc import Callable, Coroutine

from bots.sandbox.local_telegram.methods import chats, files, menus, messages, talking, updates
from bots.sandbox.local_telegram.parameters import Parameters
from bots.sandbox.local_telegram.webhook import Webhook
from bots.sandbox.local_telegram.world import World

Method = Callable[[World, Parameters], Coroutine[object, object, object]]


class MethodTable:
    def __init__(self, webhook: Webhook) -> None:
        telling = updates.Telling(webhook)
        named: dict[str, Method] = {
            "getMe": updates.get_me,
            "getUpdates": telling.get_updates,
            "setWebhook": telling.set_webhook,
            "deleteWebhook": telling.delete_webhook,
            "getWebhookInfo": telling.get_webhook_info,
            "sendMessage": messages.send_message,
            "sendDocument": messages.send_document,
            "editMessageText": messages.edit_message_text,
            "editMessageReplyMarkup": messages.edit_message_reply_markup,
            "deleteMessage": messages.delete_message,
            "setMessageReaction": messages.set_message_reaction,
            "sendChatAction": talking.send_chat_action,
            "sendMessageDraft": talking.send_message_draft,
            "answerCallbackQuery": talking.answer_callback_query,
            "setMyCommands": menus.set_my_commands,
            "getMyCommands": menus.get_my_commands,
            "deleteMyCommands": menus.delete_my_commands,
            "getChat": chats.get_chat,
            "getChatMember": chats.get_chat_member,
            "getChatMemberCount": chats.get_chat_member_count,
            "createForumTopic": chats.create_forum_topic,
            "editForumTopic": chats.edit_forum_topic,
            "closeForumTopic": chats.close_forum_topic,
            "reopenForumTopic": chats.reopen_forum_topic,
            "deleteForumTopic": chats.delete_forum_topic,
            "getFile": files.get_file,
        }
        self._methods = {name.lower(): (name, method) for name, method in named.items()}

    def find(self, name: str) -> tuple[str, Method] | None:
        """Its own name, and itself."""
        return self._methods.get(name.lower())
