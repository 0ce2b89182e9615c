const words = {
  title: "Você não tem acesso a {{page}}",
  text: "O seu perfil não mostra esta página. Quem administra os usuários da sua empresa pode mudar isso em Configurações › Perfis.",
  workTitle: "Você ainda não atende em nenhum serviço",
  workText:
    "Esta página é de quem recebe atendimentos. Quem administra a empresa escolhe as pessoas de cada serviço em Configurações › Serviços.",
  interactionTitle: "Você não tem acesso a este atendimento",
  interactionText:
    "Você vê os atendimentos que foram seus e os dos seus serviços; este é de outro serviço.",
  sectionTitle: "Você não tem acesso a esta parte das configurações",
  sectionText:
    "O seu perfil não muda o que está aqui. Quem administra os usuários da sua empresa pode mudar isso em Perfis.",
  go: "Ir para {{page}}",
};

export type ClosedWords = typeof words;

export default words;
